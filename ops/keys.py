"""The data dictionary: every key that `--json` prints, with its type, unit, sign and meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of one command's result; `rows[].x` stands for x in every row."""

    command: str
    name: str
    type: str
    unit: str
    sign: str
    meaning: str


def _keys(command: str, *rows: tuple[str, str, str, str, str]) -> tuple[Key, ...]:
    """Return the keys of one command; each row is name, type, unit, sign, meaning."""
    return tuple(
        Key(command=command, name=name, type=type_, unit=unit, sign=sign, meaning=meaning)
        for name, type_, unit, sign, meaning in rows
    )


_MADE_BY = (
    ("command", "texts", "", "", "command that gives this again"),
    ("commit", "text", "", "", "commit of this program"),
    ("versions", "texts by name", "", "", "versions of Python and the libraries"),
)

ERROR = _keys(
    "every command, on exit 1",
    ("error.kind", "text", "", "", "class of the error, named by what the caller can do"),
    ("error.where", "text", "", "", "file, option or thing that is at fault"),
    ("error.value", "text or null", "", "", "value that was found there"),
    ("error.limit", "text", "", "", "what the value should have been"),
    ("error.next", "text", "", "", "what to do now"),
)

TEST = _keys(
    "test",
    ("passed", "integer", "tests", ">= 0", "tests that passed"),
    ("failed", "integer", "tests", ">= 0", "tests that failed or could not be run; a skipped test counts as failed"),
    ("deselected", "integer", "tests", ">= 0", "tests on real data, left out without --data"),
    ("wall_s", "number", "s", ">= 0", "wall time of the whole run"),
)

COUNT = _keys(
    "count",
    ("video", "text", "", "", "the video or folder of images, as given"),
    ("rows[].line", "text", "", "", "name of the counting line in the camera file"),
    ("rows[].direction", "text", "", "", "name of the direction over the line in the camera file"),
    ("rows[].class", "text", "", "", "motorcycle, bicycle, car, bus, truck or pedestrian"),
    ("rows[].count", "integer", "road users", ">= 0", "road users of the class that crossed, over the whole video"),
    ("fps_per_core", "number", "frames/s", "> 0", "frames looked at per CPU second, decode to count, without loading"),
    (
        "outages[].start_s",
        "number",
        "s",
        ">= 0",
        "start of a span in which the camera was not healthy",
    ),
    ("outages[].end_s", "number", "s", "> start_s", "its end"),
    ("outages[].health", "text", "", "", "lost, frozen, dark, blurred, moved, covered or low_frame_rate"),
    ("healthy_share", "number", "0-1", "higher = better", "share of the time in which the camera was healthy"),
    ("partial", "true or false", "", "", "whether the video broke off or was interrupted; the counts stop there"),
    ("out", "text", "", "", "folder with the tables, crossings and pictures"),
    ("cameras[].camera", "text", "", "", "several cameras: name of the camera file"),
    ("cameras[].video", "text", "", "", "several cameras: the video, or the address without user and password"),
    ("cameras[].counted", "integer", "road users", ">= 0", "several cameras: road users counted; null if it failed"),
    ("cameras[].healthy_share", "number", "0-1", "higher = better", "several cameras: as healthy_share"),
    ("cameras[].fps_per_core", "number", "frames/s", "> 0", "several cameras: as fps_per_core"),
    ("cameras[].out", "text", "", "", "several cameras: folder of this one"),
    ("cameras[].error", "text or null", "", "", "several cameras: why this one failed; the others went on"),
)

VISION_EVAL = _keys(
    "vision eval",
    ("folder", "text", "", "", "folder with the clips and their truth"),
    ("rows[].video", "text", "", "", "clip"),
    ("rows[].line", "text", "", "", "counting line"),
    ("rows[].direction", "text", "", "", "direction that truth covers"),
    ("rows[].class", "text", "", "", "class"),
    ("rows[].truth", "integer", "road users", ">= 0", "events in the truth"),
    ("rows[].count", "integer", "road users", ">= 0", "counts in the same span and direction"),
    ("rows[].matched", "integer", "road users", ">= 0", "of both, matched one to one within a second"),
    ("rows[].geh", "number", "", "lower = better", "GEH statistic of the hourly flows"),
    ("recall_cars_heavy", "number", "0-1", "higher = better", "cars, buses and trucks: matched / truth, all clips"),
    ("recall_cars_heavy_ci95", "two numbers", "0-1", "", "Wilson's 95 % interval"),
    ("precision_cars_heavy", "number", "0-1", "higher = better", "cars, buses and trucks: matched / count"),
    ("precision_cars_heavy_ci95", "two numbers", "0-1", "", "Wilson's 95 % interval"),
    ("recall_motorcycle", "number", "0-1", "higher = better", "motorcycles: matched / truth, all clips"),
    ("recall_motorcycle_ci95", "two numbers", "0-1", "", "Wilson's 95 % interval"),
    ("precision_motorcycle", "number", "0-1", "higher = better", "motorcycles: matched / count"),
    ("precision_motorcycle_ci95", "two numbers", "0-1", "", "Wilson's 95 % interval"),
    ("most_errors_a_clip_cars_heavy", "integer", "road users", ">= 0", "missed and false in the worst clip"),
    (
        "overcount_stopped",
        "integer",
        "road users",
        ">= 0",
        "counts of one that stood on the line, counted before",
    ),
    ("speed_error_kph", "number", "km/h", "lower = better", "mean of |speed - true speed|, where truth has speeds"),
    (
        "queue_error_veh",
        "number",
        "veh",
        "lower = better",
        "mean of |queue - true queue|, lane by lane and second",
    ),
    ("weighted_rmse", "number", "", "lower = better", "of counts by line and class, weighted by truth, over its mean"),
    ("fps_per_core", "number", "frames/s", "> 0", "frames looked at per CPU second, decode to count"),
    ("ratio_plain", "number", "", "higher = better", "CPU time of plain yolo track (torch) / ours, first clip"),
    ("ratio_plain_openvino", "number", "", "higher = better", "the same with ultralytics' own OpenVINO export"),
    ("image_size", "integer", "px", "", "longer side of the network's input, first clip"),
    ("frame_stride", "integer", "frames", ">= 1", "every n-th frame was looked at, first clip"),
    ("weights.path", "text", "", "", "weights"),
    ("weights.sha256", "text", "", "", "their digest"),
    *_MADE_BY,
)

VISION_RENDER = _keys(
    "vision render",
    ("clip", "text", "", "", "the video"),
    ("camera", "text", "", "", "camera file that goes with it"),
    ("truth", "text", "", "", "ground_truth.json, for vision eval"),
    ("junction", "text", "", "", "junction that is looked at"),
    ("approach", "text", "", "", "approach that is looked at"),
    ("rows[].class", "text", "", "", "class"),
    ("rows[].crossed", "integer", "road users", ">= 0", "road users that crossed the line"),
)

VISION_CALIBRATE = _keys(
    "vision calibrate",
    ("camera", "text", "", "", "camera file that was written"),
    ("points", "integer", "points", ">= 4", "points of the road that it holds now"),
)

VISION_TRAIN = _keys(
    "vision train",
    ("model", "text", "", "", "folder with arrays and card"),
    ("share", "number", "0-1", "", "how far the weights went from the start to the trained ones"),
    ("sha256", "text", "", "", "digest of the arrays"),
    ("rows[].share", "number", "0-1", "", "a mix that was judged"),
    ("rows[].source", "text", "", "", "images that it was judged on; none was trained on"),
    ("rows[].class", "text", "", "", "class"),
    ("rows[].labelled", "integer", "boxes", ">= 0", "boxes in the labels"),
    (
        "rows[].recall",
        "number",
        "0-1",
        "higher = better",
        "share of them that was found, overlap 0.5",
    ),
    (
        "rows[].precision",
        "number",
        "0-1",
        "higher = better",
        "share of the found that is labelled",
    ),
)

BENCH_VISION = _keys(
    "bench vision",
    ("video", "text", "", "", "video that was measured on"),
    ("rows[].stage", "text", "", "", "decode, health, find, track and count, whole"),
    ("rows[].cpu_ms", "number", "ms", "lower = better", "CPU time a frame, median of the repeats"),
    ("fps_per_core", "number", "frames/s", "> 0", "frames per CPU second, decode to count, median"),
    (
        "ratio_plain",
        "number",
        "",
        "higher = better",
        "CPU time of plain yolo track (torch) / ours, median",
    ),
    ("ratio_plain_range", "two numbers", "", "", "least and most of the repeats"),
    ("ratio_plain_openvino", "number", "", "higher = better", "the same with ultralytics' own OpenVINO export"),
    ("ratio_plain_openvino_range", "two numbers", "", "", "least and most of the repeats"),
    ("peak_memory_mb", "number", "MB", "lower = better", "most memory of this process, the peers included"),
    ("image_size", "integer", "px", "", "longer side of the network's input"),
    ("frames", "integer", "frames", ">= 10", "frames a repeat"),
    ("repeats", "integer", "", ">= 1", "repeats, ours and the peers in turn"),
    ("cpu", "text", "", "", "name of the CPU"),
    ("has_amx", "true or false", "", "", "whether it has AMX"),
    ("load", "number", "", "", "load of the machine"),
    *_MADE_BY,
)

EVALUATE = _keys(
    "evaluate",
    ("scenario", "text", "", "", "name of the scenario"),
    ("protocol", "text", "", "", "legacy or safe"),
    ("seeds", "integer", "seeds", ">= 1", "seeds asked for"),
    ("partial", "true or false", "", "", "whether some run failed or was interrupted; rows hold what was done"),
    ("out", "text", "", "", "file with every run, settings, versions and commit"),
    ("rows[].control", "text", "", "", "name of the control"),
    ("rows[].seeds", "integer", "seeds", ">= 1", "seeds that were run"),
    ("rows[].delay_s", "number", "s/veh", "lower = better", "mean over seeds of (timeLoss + departDelay) per vehicle"),
    ("rows[].delay_ci95_s", "two numbers", "s/veh", "", "95 % t-interval of delay_s over seeds"),
    ("rows[].delay_worst_s", "number", "s/veh", "lower = better", "delay of the worst seed"),
    ("rows[].delay_resco_s", "number", "s/veh", "lower = better", "delay by RESCO's formula, for published tables"),
    ("rows[].trip_time_s", "number", "s/veh", "lower = better", "time in the network per inserted vehicle"),
    ("rows[].wait_s", "number", "s/veh", "lower = better", "time below 0.1 m/s per inserted vehicle"),
    ("rows[].stops", "number", "1/veh", "lower = better", "stops (SUMO's waitingCount) per inserted vehicle"),
    ("rows[].queue_veh", "number", "veh", "lower = better", "time mean of standing vehicles"),
    ("rows[].arrived", "number", "veh", "higher = better", "vehicles that arrived, mean over seeds"),
    ("rows[].running", "number", "veh", ">= 0", "vehicles under way at the end, mean over seeds"),
    ("rows[].not_departed", "number", "veh", ">= 0", "vehicles never inserted, mean over seeds"),
    ("rows[].teleports", "number", "veh", ">= 0", "SUMO's teleports, mean over seeds"),
    ("rows[].collisions", "number", "", ">= 0", "SUMO's collisions, mean over seeds; no measure of safety"),
    ("rows[].direct_green_to_red", "integer", "links", ">= 0", "greens that ended without yellow, all seeds"),
    ("rows[].intergreen_violations", "integer", "pairs", ">= 0", "foes green too early for the protocol, all seeds"),
    ("rows[].conflicting_greens", "integer", "pairs", ">= 0", "foes both G, all seeds"),
    ("rows[].longest_red_s", "number", "s", ">= 0", "longest time between two greens of a link, worst seed"),
    ("rows[].guard_refused", "integer", "decisions", ">= 0", "decisions that the guard refused, all seeds"),
    ("rows[].guard_forced", "integer", "stages", ">= 0", "stages forced before the longest red, all seeds"),
    ("rows[].guard_released", "integer", "junctions", ">= 0", "junctions released on a fault read back, all seeds"),
    ("rows[].cpu_s", "number", "s", "> 0", "CPU time from the first to the last step, mean over seeds"),
    ("rows[].difference_s", "number", "s/veh", "negative = better", "paired difference of delay_s to the first row"),
    ("rows[].difference_ci95_s", "two numbers", "s/veh", "negative = better", "95 % t-interval of the difference"),
    ("rows[].seeds_to_settle", "integer or null", "seeds", ">= 2", "seeds that would settle it at 80 % power"),
    ("rows[].via", "text", "", "", "controller; this key and those below are there with `--via controller` only"),
    ("rows[].direct_delay_s", "number", "s/veh", "lower = better", "delay_s of the same control actuated directly"),
    ("rows[].loss_s", "number", "s/veh", "positive = worse", "delay_s less direct_delay_s, paired by seed"),
    ("rows[].loss_ci95_s", "two numbers", "s/veh", "positive = worse", "95 % t-interval of loss_s"),
    ("rows[].plans_pushed", "integer", "plans", ">= 0", "plans that controllers took, all seeds"),
    ("rows[].plans_confirmed", "integer", "plans", ">= 0", "those of them that a poll saw in effect, all seeds"),
    ("rows[].rounded_phases", "integer", "phases", ">= 0", "phases whose clearance is rounded up to the street's step"),
)

BENCHMARK = (
    _keys(
        "benchmark",
        ("protocols", "texts", "", "", "legacy, safe or both of them"),
        ("seeds", "integer", "seeds", ">= 1", "seeds asked for"),
        ("demand_seed", "integer", "", ">= 0", "0 = the demand file as it is; else demand seed of the first run"),
        ("runs", "integer", "runs", ">= 1", "runs asked for: scenarios, protocols, controls and seeds"),
        ("runs_kept", "integer", "runs", ">= 0", "those of them that had been done before, and were not done again"),
        ("failed", "integer", "runs", ">= 0", "those of them that failed; their rows say why"),
        ("partial", "true or false", "", "", "whether some run failed or was interrupted; rows hold what was done"),
        ("table", "text", "", "", "the tables as Markdown"),
        ("chart", "text or null", "", "", "the chart as SVG"),
        ("out", "text", "", "", "file with every run, settings, command, versions and commit"),
        ("rows[].scenario", "text", "", "", "name of the scenario"),
        ("rows[].protocol", "text", "", "", "legacy or safe"),
    )
    + tuple(
        replace(key, command="benchmark", meaning=key.meaning.replace("the first row", "the scenario's first control"))
        for key in takewhile(lambda key: key.name != "rows[].via", EVALUATE)
        if key.name.startswith("rows[].")
    )
    + _keys(
        "benchmark",
        ("rows[].failed", "integer", "runs", ">= 0", "seeds on which it failed; without any other, numbers are null"),
        ("rows[].error", "text or null", "", "", "the first failure, in one line"),
        ("statements[].scenario", "text", "", "", "name of the scenario"),
        ("statements[].protocol", "text", "", "", "legacy or safe"),
        ("statements[].best", "text", "", "", "control of least mean delay, of those that were run on all seeds"),
        ("statements[].best_delay_s", "number", "s/veh", "lower = better", "its delay"),
        ("statements[].as_good", "texts", "", "", "controls whose paired difference to it is not surely above 0"),
        ("statements[].subject", "text", "", "", "the control that is judged"),
        ("statements[].subject_delay_s", "number or null", "s/veh", "lower = better", "its delay"),
        (
            "statements[].actuated_change_pct",
            "number or null",
            "%",
            "negative = better",
            "paired difference of the subject's delay to actuated's (actuated_safe's in safe), over the latter",
        ),
        ("statements[].actuated_change_ci95_pct", "two numbers or null", "%", "", "95 % t-interval of that"),
        (
            "statements[].max_pressure_change_pct",
            "number or null",
            "%",
            "negative = better",
            "the same to max pressure",
        ),
        ("statements[].max_pressure_change_ci95_pct", "two numbers or null", "%", "", "95 % t-interval of that"),
        (
            "statements[].reached",
            "true, false or null",
            "",
            "",
            "whether its mean delay is at least 10 % less than that of both, or of the one that was run",
        ),
        ("statements[].sure", "true, false or null", "", "", "whether 95 % intervals say so, too"),
    )
)

TRAIN = _keys(
    "train",
    ("source", "text", "", "", "generated, or the name of the scenario"),
    ("generations", "integer", "", ">= 0", "generations that were trained"),
    ("best_generation", "integer", "", ">= 0", "generation whose weights are kept, the best by validation"),
    ("stopped", "text", "", "", "generations or minutes (all done), or no better (validation did not improve)"),
    ("train_s", "number", "s", ">= 0", "wall time of training and judging, resumed parts together"),
    ("wall_s", "number", "s", "> 0", "wall time of this command, making the exercises included"),
    ("out", "text", "", "", "folder with settings, checkpoint, curve (CSV, PNG, TensorBoard) and policy"),
    ("model", "text", "", "", "folder of the policy, for evaluate --model"),
    ("weights_sha256", "text", "", "", "sha256 of the weights' file"),
    ("greedy_delay_s", "number", "s/veh", "> 0", "greedy control on the validation exercises, geometric mean"),
    ("validation_ratio", "number", "", "lower = better", "delay over that of greedy control there, geometric mean"),
)

DEMO = _keys(
    "demo",
    ("scenario", "text", "", "", "name of the scenario"),
    ("seeds", "integer", "seeds", ">= 1", "days of the street that were run in both arms"),
    ("delay_before_s", "number", "s/veh", "lower = better", "mean delay not pushed, by the street's trip records"),
    ("delay_after_s", "number", "s/veh", "lower = better", "mean delay pushed, same days; the same if nothing was"),
    ("delay_change_pct", "number", "%", "negative = better", "mean paired difference over the mean before"),
    ("delay_change_ci95_pct", "two numbers", "%", "negative = better", "95 % t-interval of that; [0, 0] if kept"),
    ("delay_log_change_pct", "number", "%", "negative = better", "the same by the event log, as the centre sees it"),
    ("plans_pushed", "integer", "plans", ">= 0", "plans sent to controllers, over all days"),
    ("plans_refused", "integer", "plans", ">= 0", "plans that the guard or a controller refused"),
    ("readback_equal", "true, false or null", "", "", "whether every plan read back equal; null if none was sent"),
    ("count_abs_error_pct", "number", "%", ">= 0", "sum of |counted - true| over the true counts of all movements"),
    ("wall_s", "number", "s", "> 0", "wall time of the demo"),
    ("report", "text", "", "", "the HTML report"),
)

REPORT = _keys(
    "report",
    ("report", "text", "", "", "the HTML report"),
    ("scenario", "text", "", "", "name of the scenario"),
)

CONTROLLERS = _keys(
    "controllers",
    ("scenario", "text", "", "", "name of the scenario"),
    ("time_s", "number", "s", ">= 0", "the street's clock at the end"),
    ("rows[].junction", "text", "", "", "id of the junction"),
    ("rows[].host", "text", "", "", "address at which its controller answered SNMP"),
    ("rows[].port", "integer", "", "", "UDP port of it"),
    ("rows[].pattern", "integer", "", "", "coordPatternStatus at the end; 254 is free, 255 flash"),
)

SCENARIO_LIST = _keys(
    "scenario list",
    ("folder", "text", "", "", "where the scenarios are"),
    ("rows[].name", "text", "", "", "name of the folder"),
    ("rows[].title", "text or null", "", "", "title in its scenario.toml"),
    ("rows[].schematic", "true, false or null", "", "", "whether it is a schematic, not a survey"),
    ("rows[].state", "text", "", "", "ok, or why it cannot be read"),
)

SCENARIO_SHOW = _keys(
    "scenario show",
    ("scenario", "text", "", "", "name of the scenario"),
    ("title", "text", "", "", "its title"),
    ("schematic", "true or false", "", "", "whether it is a schematic, not a survey"),
    ("folder", "text", "", "", "where it is"),
    ("begin_s", "number", "s", ">= 0", "begin of its period"),
    ("end_s", "number", "s", "> begin_s", "end of its period"),
    ("step_s", "number", "s", "> 0", "SUMO's step"),
    ("signals", "integer", "junctions", ">= 1", "signal-controlled junctions"),
    ("movements", "integer", "", ">= 0", "movements over them"),
    ("links", "integer", "", ">= 1", "one-way roads"),
    ("lane_km", "number", "km", "> 0", "length of all lanes"),
    ("departures", "integer", "vehicles", ">= 0", "single vehicles of the route files in the period"),
    ("flows", "integer", "", ">= 0", "flows in the route files"),
    ("counts", "integer or null", "rows", ">= 1", "rows of counts; null if it has none"),
    ("cameras", "integer or null", "", ">= 1", "cameras; null if it has none"),
    ("picture", "text or null", "", "", "its map"),
    ("readme", "text or null", "", "", "its README"),
    ("rows[].junction", "text", "", "", "id of the junction"),
    ("rows[].name", "text", "", "", "streets that meet there"),
    ("rows[].approaches", "integer", "", ">= 1", "approaches"),
    ("rows[].links", "integer", "", ">= 1", "places in its lamp string"),
)

_FINDINGS = (
    ("scenario", "text", "", "", "name of the scenario"),
    ("faults", "integer", "", ">= 0", "findings for which it cannot be run"),
    ("push_blocked", "integer", "", ">= 0", "findings for which a controller in the field is not commanded"),
    ("notes", "integer", "", ">= 0", "other findings"),
    ("rows[].weight", "text", "", "", "fault, no push or note"),
    ("rows[].part", "text", "", "", "network, demand, signals, clearances, counts or cameras"),
    ("rows[].what", "text", "", "", "the finding: where, value, limit"),
)
SCENARIO_CHECK = _keys("scenario check", *_FINDINGS)
SCENARIO_IMPORT = _keys("scenario import", ("folder", "text", "", "", "the scenario's folder"), *_FINDINGS)
SCENARIO = SCENARIO_LIST + SCENARIO_SHOW + SCENARIO_CHECK + SCENARIO_IMPORT

BENCH_LOOP = _keys(
    "bench loop",
    ("rows[].scenario", "text", "", "", "name of the scenario"),
    ("rows[].bare_cpu_s", "number", "s", "> 0", "CPU, first to last step, the same lamps without control; median"),
    ("rows[].controlled_cpu_s", "number", "s", "> 0", "CPU, first to last step, max pressure behind the guard; median"),
    ("rows[].ratio", "number", "", "lower = better", "controlled_cpu_s over bare_cpu_s; trip records are identical"),
    ("rows[].ratio_range", "two numbers", "", "", "lowest and highest ratio of a round"),
    ("rows[].env_ratio", "number", "", "lower = better", "CPU of the environment's steps, same lamps, over bare_cpu_s"),
    ("rows[].sumo_rl_ratio", "number or null", "", "lower = better", "ratio of sumo-rl's loop; null if not installed"),
    ("rows[].bare_process_cpu_s", "number", "s", "> 0", "CPU of a bare run's whole process; median"),
    ("rows[].controlled_process_cpu_s", "number", "s", "> 0", "CPU of a controlled run's whole process; median"),
    ("rows[].sumo_cpu_s", "number", "s", "> 0", "CPU of the `sumo` program with the same lamps; median"),
    ("rows[].peak_mb", "number", "MB", "lower = better", "highest resident memory of a controlled run's process"),
    (
        "rows[].evaluate_ratio",
        "number or null",
        "",
        "lower = better",
        "CPU of 20 seeds of `static` as `evaluate` runs them, parent and workers without one start of a worker a "
        "core, over that of 20 runs of the `sumo` program; null if left out",
    ),
    ("partial", "true or false", "", "", "whether it failed or was interrupted; rows hold what was done"),
    ("control", "text", "", "", "the control that is timed"),
    ("protocol", "text", "", "", "its protocol"),
    ("repeats", "integer", "rounds", ">= 1", "times that everything was run, in turn"),
    ("seed", "integer", "", ">= 0", "driver seed"),
    ("cpu", "text", "", "", "name of the processor"),
    ("cores", "integer", "cores", ">= 1", "cores that it might use"),
    ("load", "number", "processes", ">= 0", "load of the machine at the end, mean of a minute"),
    ("commit", "text or null", "", "", "commit that ran, + behind it if files were changed since"),
    ("versions", "names and texts", "", "", "versions of Python and of the packages that matter here"),
    ("out", "text", "", "", "file with every sample and the command"),
)

BENCH_CORE = _keys(
    "bench core",
    ("rows[].scenario", "text", "", "", "name of the scenario"),
    ("rows[].sumo_sim_s_per_cpu_s", "number", "s/s", "> 0", "SUMO micro without outputs, net of a run of one step"),
    ("rows[].meso_sim_s_per_cpu_s", "number", "s/s", "> 0", "SUMO meso with junction control, likewise"),
    ("rows[].core_sim_s_per_cpu_s", "number", "s/s", "higher = better", "the core on one core, installed plan; median"),
    ("rows[].ratio", "number", "", "higher = better", "core_sim_s_per_cpu_s over sumo_sim_s_per_cpu_s"),
    (
        "rows[].core_ns_per_move",
        "number",
        "ns",
        "lower = better",
        "CPU of the core over vehicles' moves to a next lane",
    ),
    ("rows[].core_ns_per_scan", "number", "ns", "lower = better", "CPU of the core over lanes looked at"),
    ("rows[].core_kb_per_replica", "number", "KiB", "lower = better", "memory of one replica"),
    (
        "rows[].core_two_threads",
        "number or null",
        "",
        "<= 2",
        "wall time on one thread over that on two, best of 10 each",
    ),
    ("rows[].plans", "integer", "plans", ">= 8", "fixed-time plans that were ranked"),
    ("rows[].seeds", "integer", "", ">= 2", "driver seeds of SUMO behind every plan's mean, demand as it is"),
    ("rows[].dropped", "integer", "plans", ">= 0", "plans replaced: they gridlock on more than a third of the seeds"),
    ("rows[].rho", "number", "", "-1 to 1", "Spearman between the core's delays and SUMO's means over all plans"),
    ("rows[].rho_ci95", "two numbers", "", "", "its 95 % interval: plans drawn again with replacement"),
    (
        "rows[].rho_ceiling",
        "number",
        "",
        "0 to 1",
        "how well SUMO's means agree with those over as many other seeds: split halves, stepped up",
    ),
    ("rows[].rho_truth", "number", "", "0 to 1", "how well they agree with the truth: square root of rho_ceiling"),
    ("rows[].rho_near_default", "number", "", "-1 to 1", "rho over the plans near the installed one"),
    ("rows[].rho_near_default_ci95", "two numbers", "", "", "its 95 % interval"),
    ("rows[].rho_near_default_ceiling", "number", "", "0 to 1", "rho_ceiling of the plans near the installed one"),
    (
        "rows[].regret_pct",
        "number",
        "%",
        "lower = better",
        "SUMO's delay of the core's best plan over that of SUMO's best, on 10 fresh driver seeds, paired",
    ),
    ("rows[].regret_ci95_pct", "two numbers", "%", "", "its 95 % interval (Student's t over the seeds)"),
    ("rows[].core_best", "text", "", "", "the plan of least delay in the core"),
    ("rows[].sumo_best", "text", "", "", "the plan of least mean delay in SUMO"),
    (
        "compile_cold_s",
        "number or null",
        "s",
        "> 0",
        "CPU that the first run takes more than the second, nothing cached",
    ),
    ("compile_cached_s", "number or null", "s", "> 0", "the same with compiled code from the cache"),
    ("mpc_ms", "names and numbers", "ms", "> 0", "a decision about all junctions on all cores; median, by scenario"),
    ("peers[].peer", "text", "", "", "sumo micro, sumo meso, uxsim (C++ mode) or core"),
    ("peers[].version", "text or null", "", "", "its version"),
    ("peers[].scenario", "text", "", "", "the generated grid that all of them run"),
    ("peers[].sim_s_per_cpu_s", "number or null", "s/s", "higher = better", "its speed; null if it is not installed"),
    ("partial", "true or false", "", "", "whether it failed or was interrupted; rows hold what was done"),
    ("repeats", "integer", "rounds", ">= 1", "times that everything timed was run, in turn"),
    ("cpu", "text", "", "", "name of the processor"),
    ("cores", "integer", "cores", ">= 1", "cores that it might use"),
    ("load", "number", "processes", ">= 0", "load of the machine at the end, mean of a minute"),
    ("commit", "text or null", "", "", "commit that ran, + behind it if files were changed since"),
    ("versions", "names and texts", "", "", "versions of Python and of the packages that matter here"),
    ("out", "text", "", "", "file with the table and the command; SUMO's runs lie in core/ beside it"),
)

CALIBRATE = _keys(
    "calibrate",
    ("scenario", "text", "", "", "name of the scenario"),
    ("misfit.bias", "number", "", "0 = none", "mean of ln(core's delay / SUMO's) over plans"),
    ("misfit.spread", "number", "", "0 = none", "standard deviation of that"),
    ("misfit.spread_near_default", "number", "", "0 = none", "the same over the plans near the installed one"),
    (
        "misfit.links",
        "number",
        "",
        "0 = none",
        "sum over links of |core's lost time - SUMO's|, as a share of SUMO's; mean over plans",
    ),
    ("misfit.links_near_default", "number", "", "0 = none", "the same over the plans near the installed one"),
    ("misfit.rho", "number", "", "1 = same order", "Spearman's rank correlation of the plans' delays"),
    ("misfit.rho_near_default", "number", "", "1 = same order", "the same over the plans near the installed one"),
    ("misfit_before.bias", "number", "", "0 = none", "misfit.bias with the default parameters"),
    ("misfit_before.spread", "number", "", "0 = none", "misfit.spread with the default parameters"),
    (
        "misfit_before.spread_near_default",
        "number",
        "",
        "0 = none",
        "misfit.spread_near_default with the default parameters",
    ),
    ("misfit_before.links", "number", "", "0 = none", "misfit.links with the default parameters"),
    (
        "misfit_before.links_near_default",
        "number",
        "",
        "0 = none",
        "misfit.links_near_default with the default parameters",
    ),
    ("misfit_before.rho", "number", "", "1 = same order", "misfit.rho with the default parameters"),
    (
        "misfit_before.rho_near_default",
        "number",
        "",
        "1 = same order",
        "misfit.rho_near_default with the default parameters",
    ),
    ("plans", "integer", "plans", ">= 8", "plans that SUMO ran"),
    ("seeds", "integer", "seeds", ">= 1", "demand seeds of each"),
    ("partial", "true or false", "", "", "whether it was interrupted; the parameters are the best until then"),
    ("out", "text", "", "", "file with the parameters, control.queue_physics.Physics by name"),
)

PLAN = _keys(
    "plan",
    ("scenario", "text", "", "", "name of the scenario"),
    ("method", "text", "", "", "webster or search"),
    ("chosen", "text", "", "", "name of the candidate that was written"),
    ("why", "text", "", "", "why this one"),
    ("partial", "true or false", "", "", "whether it was interrupted; then the best so far was written, not verified"),
    ("installed_fault", "text", "", "", "why the guard would refuse the installed plan; none if it would not"),
    ("difference_s", "number or null", "s/veh", "negative = better", "SUMO's delay, chosen less installed, paired"),
    ("difference_ci95_s", "two numbers or null", "s/veh", "negative = better", "95 % t-interval of that"),
    ("change_pct", "number or null", "%", "negative = better", "difference_s over the installed plan's delay"),
    ("new_installation", "true or false", "", "", "whether the order of phases differs from the installed one"),
    ("plans_tried", "integer", "plans", ">= 0", "plans that the queue model ran, each on all seeds of the search"),
    ("search_cpu_s", "number", "s", ">= 0", "CPU time of the search, all threads"),
    ("compile_cpu_s", "number", "s", ">= 0", "CPU time before it: kernels, queue models, the space of legal plans"),
    ("sumo_cpu_s", "number", "s", ">= 0", "CPU time of SUMO's verdict, all runs"),
    ("candidates[].name", "text", "", "", "installed, webster, or search-1 (best by the queue model), search-2, ..."),
    ("candidates[].cycles_s", "numbers", "s", "> 0", "its cycles"),
    ("candidates[].core_delay_s", "number or null", "s/veh", "lower = better", "delay by the queue model"),
    ("candidates[].delay_s", "number or null", "s/veh", "lower = better", "delay in SUMO; null if not verified"),
    ("candidates[].delay_ci95_s", "two numbers", "s/veh", "", "95 % t-interval of that over seeds"),
    ("candidates[].delay_worst_s", "number or null", "s/veh", "lower = better", "delay of the worst seed"),
    ("candidates[].difference_s", "number or null", "s/veh", "negative = better", "paired difference to installed"),
    ("candidates[].difference_ci95_s", "two numbers", "s/veh", "negative = better", "95 % t-interval of that"),
    ("rows[].junction", "text", "", "", "id of the junction"),
    ("rows[].cycle_s", "integer", "s", "> 0", "cycle"),
    ("rows[].offset_s", "integer", "s", ">= 0", "start of green of the first coordinated phase after midnight"),
    ("rows[].splits_s", "numbers", "s", "> 0", "green, yellow and red clearance of the phases in `phases`"),
    ("rows[].phases", "numbers", "", ">= 1", "phase numbers, in order of `splits_s`"),
    ("rows[].rings", "texts", "", "", "phase numbers of each ring in order of service"),
    ("rows[].cycle_before_s", "integer", "s", "> 0", "cycle of the installed plan"),
    ("signals", "text", "", "", "the plans as signals.json"),
    ("programs", "text", "", "", "the plans as programs in a SUMO additional file"),
    ("out", "text", "", "", "file with the result, every delay, settings, command, commit and versions"),
)

BENCH_RL = _keys(
    "bench rl",
    ("rows[].scenario", "text", "", "", "name of the scenario"),
    ("rows[].junctions", "integer", "junctions", ">= 1", "agents of a replica: its signals"),
    ("rows[].delay_s", "number", "s/veh", "lower = better", "mean delay in the core under the policy that is timed"),
    (
        "rows[].decisions_per_second",
        "number",
        "decisions/s",
        "higher = better",
        "agents' decisions, two threads, wall; best",
    ),
    ("rows[].decisions_per_second_median", "number", "decisions/s", "higher = better", "the same, median"),
    ("rows[].one_thread_per_second", "number", "decisions/s", "higher = better", "on one thread, wall; best"),
    ("rows[].one_thread_per_second_median", "number", "decisions/s", "higher = better", "the same, median"),
    (
        "rows[].decisions_per_cpu_second",
        "number",
        "decisions/s",
        "higher = better",
        "on one thread by its CPU time; best",
    ),
    ("rows[].simulation_share", "number", "", "0-1", "CPU of the recorded decisions played again, without the policy"),
    ("rows[].observation_share", "number", "", "0-1", "what reading all zones at every decision adds"),
    ("rows[].policy_share", "number", "", "0-1", "what inputs, network and choice add; the three make 1"),
    (
        "rows[].replay_ratio",
        "number",
        "",
        "1 = the same",
        "CPU of the replay with all three over that of the run itself",
    ),
    (
        "rows[].env_steps_per_second",
        "number",
        "steps/s",
        "higher = better",
        "agents' steps of CoreVecEnv, one thread; best",
    ),
    ("rows[].ppo_steps_per_second", "number", "steps/s", "higher = better", "the same as PPO collects them; best"),
    ("model", "text", "", "", "the policy that is timed"),
    ("parameters", "integer", "numbers", ">= 1", "numbers in its weights that it uses"),
    ("repeats", "integer", "rounds", ">= 1", "times that everything was run, in turn"),
    ("cpu", "text", "", "", "name of the processor"),
    ("cores", "integer", "cores", ">= 1", "cores that it might use"),
    ("load", "number", "processes", ">= 0", "load of the machine at the end, mean of a minute"),
    ("commit", "text or null", "", "", "commit that ran, + behind it if files were changed since"),
    ("versions", "names and texts", "", "", "versions of Python and of the packages that matter here"),
    ("out", "text", "", "", "file with every sample and the command"),
)

BENCH_PLAN = _keys(
    "bench plan",
    ("rows[].scenario", "text", "", "", "name of the scenario"),
    ("rows[].control", "text", "", "", "plan (searched), static, webster, sumo_tools or sumo_tools_own"),
    ("rows[].delay_s", "number", "s/veh", "lower = better", "delay in SUMO, mean over seeds"),
    ("rows[].delay_ci95_s", "two numbers", "s/veh", "", "95 % t-interval of that"),
    ("rows[].delay_worst_s", "number", "s/veh", "lower = better", "delay of the worst seed"),
    ("rows[].difference_s", "number or null", "s/veh", "negative = better", "the plan's delay less this one's, paired"),
    ("rows[].difference_ci95_s", "two numbers or null", "s/veh", "negative = better", "95 % t-interval of that"),
    ("rows[].change_pct", "number or null", "%", "negative = better", "difference_s over this one's delay"),
    ("rows[].beaten", "true, false or null", "", "", "whether that interval is wholly below 0; null for the plan"),
    ("rows[].search_cpu_s", "number or null", "s", "> 0", "CPU time of the search; null for the others"),
    ("rows[].chosen", "text or null", "", "", "which candidate the plan is; null for the others"),
    ("won", "integer", "scenarios", ">= 0", "scenarios on which the plan beats all others"),
    ("scenarios", "integer", "scenarios", ">= 0", "scenarios that were compared"),
    ("seeds", "integer", "seeds", ">= 2", "demand seeds of the comparison"),
    ("first_seed", "integer", "", ">= 100", "the first of them"),
    ("partial", "true or false", "", "", "whether it failed or was interrupted; rows hold what was done"),
    ("out", "text", "", "", "file with every delay, settings, command, commit and versions"),
)

DICTIONARY: tuple[Key, ...] = (
    ERROR
    + TEST
    + COUNT
    + EVALUATE
    + BENCHMARK
    + TRAIN
    + PLAN
    + DEMO
    + REPORT
    + CONTROLLERS
    + SCENARIO
    + BENCH_LOOP
    + BENCH_CORE
    + BENCH_RL
    + CALIBRATE
    + BENCH_PLAN
    + VISION_EVAL
    + VISION_RENDER
    + VISION_CALIBRATE
    + VISION_TRAIN
    + BENCH_VISION
)


def keys_of(command: str) -> Iterator[Key]:
    """Yield the keys of one command."""
    return (key for key in DICTIONARY if key.command == command)
