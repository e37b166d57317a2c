"""The words of the report in English and Vietnamese, and how its numbers are written.

Vietnamese terms follow the project's glossary; those of the field that it marks as unchecked were
not checked by a traffic engineer of the country either.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, isfinite

from markupsafe import Markup, escape

UNKNOWN = "unknown / không rõ"

TEXT: dict[str, tuple[str, str]] = {
    "title": ("Signal timing report", "Báo cáo điều khiển đèn tín hiệu"),
    "language": ("Language", "Ngôn ngữ"),
    "both": ("both", "cả hai"),
    "contents": ("Contents", "Mục lục"),
    "schematic": (
        "SCHEMATIC network: its roads, lanes, signals and flows are assumed, not surveyed. "
        "Nothing here is a finding about a real street.",
        "Mạng lưới SƠ ĐỒ: đường, làn, đèn tín hiệu và lưu lượng là giả định, chưa khảo sát. "
        "Không có số liệu nào ở đây là kết luận về một tuyến phố thật.",
    ),
    "partial": (
        "PARTIAL result: the run was interrupted; what was measured until then is shown.",
        "Kết quả CHƯA ĐẦY ĐỦ: lần chạy bị ngắt; chỉ hiển thị phần đã đo.",
    ),
    "result": ("Result", "Kết quả"),
    "kept": (
        "The old plan was kept: no candidate was good enough to be pushed. Nothing was changed on the street. "
        "Mean delay there: {before} s per vehicle.",
        "Giữ nguyên phương án cũ: không có phương án nào đủ tốt để thay thế. Không thay đổi gì trên đường. "
        "Thời gian chậm xe trung bình: {before} giây/xe.",
    ),
    "better": (
        "Delay fell from {before} to {after} s per vehicle ({pct} %). "
        "With 95 % confidence the change lies between {low} and {high} s: the improvement is settled.",
        "Thời gian chậm xe giảm từ {before} xuống {after} giây/xe ({pct} %). "
        "Với độ tin cậy 95 %, mức thay đổi nằm trong khoảng {low} đến {high} giây: cải thiện là chắc chắn.",
    ),
    "worse": (
        "Delay ROSE from {before} to {after} s per vehicle ({pct} %). "
        "With 95 % confidence the change lies between {low} and {high} s: the plan made things worse.",
        "Thời gian chậm xe TĂNG từ {before} lên {after} giây/xe ({pct} %). "
        "Với độ tin cậy 95 %, mức thay đổi nằm trong khoảng {low} đến {high} giây: phương án làm tình hình xấu đi.",
    ),
    "open": (
        "Delay was {before} s per vehicle before and {after} s after ({pct} %). "
        "The 95 % interval of the change, {low} to {high} s, contains 0: not settled. "
        "Seeds that would settle a difference of this size: {seeds}.",
        "Thời gian chậm xe là {before} giây/xe trước và {after} giây/xe sau ({pct} %). "
        "Khoảng tin cậy 95 % của thay đổi, {low} đến {high} giây, chứa 0: chưa thể kết luận. "
        "Số lần chạy cần để kết luận: {seeds}.",
    ),
    "no_delay": (
        "The delay is unknown: the run left too few measurements.",
        "Thời gian chậm xe: không rõ; lần chạy có quá ít số đo.",
    ),
    "sign": (
        "Difference = after − before on the same seed; negative = better. The decimal sign is a point.",
        "Chênh lệch = sau − trước với cùng hạt ngẫu nhiên; số âm = tốt hơn. Dấu chấm là dấu thập phân.",
    ),
    "before": ("before", "trước"),
    "after": ("after", "sau"),
    "old": ("old plan", "phương án cũ"),
    "new": ("new plan", "phương án mới"),
    "delay": ("Delay", "Thời gian chậm xe"),
    "delay_axis": ("delay, s per vehicle", "thời gian chậm xe, giây/xe"),
    "difference_axis": ("after − before, s per vehicle", "sau − trước, giây/xe"),
    "by_trips": ("by trip records", "theo hành trình xe"),
    "by_log": ("by event log", "theo nhật ký sự kiện"),
    "seed": ("seed", "hạt ngẫu nhiên"),
    "mean_ci": ("mean and 95 % interval", "trung bình và khoảng 95 %"),
    "better_side": ("better", "tốt hơn"),
    "worse_side": ("worse", "xấu hơn"),
    "effect": ("Before and after", "Trước và sau"),
    "effect_note": (
        "Each line is one seed of the street, run twice: without and with the new plan. Trip records are exact and "
        "are opened only after the run; the event log is what the centre itself can see.",
        "Mỗi đường là một lần chạy, chạy hai lượt: không có và có phương án mới. Hành trình xe là số liệu chính xác, "
        "chỉ mở sau khi chạy; nhật ký sự kiện là những gì trung tâm tự thấy được.",
    ),
    "measures": ("All measures", "Các chỉ tiêu"),
    "measure": ("measure", "chỉ tiêu"),
    "unit": ("unit", "đơn vị"),
    "change": ("change", "thay đổi"),
    "interval": ("95 % interval", "khoảng 95 %"),
    "settled": ("settled", "kết luận"),
    "seeds_to_settle": ("seeds needed", "số lần chạy cần"),
    "known_seeds": ("known seeds", "số lần đo được"),
    "yes": ("yes", "có"),
    "no": ("no", "không"),
    "map": ("Map of control delay", "Bản đồ thời gian chậm xe tại nút"),
    "map_note": (
        "The last stretch of each approach, coloured by its control delay; the number is seconds per vehicle. "
        "Grey, '?' = unknown. Traffic drives on the right; the arrow points to the stop line.",
        "Đoạn cuối của mỗi nhánh vào nút, tô màu theo thời gian chậm xe; con số là giây/xe. "
        "Màu xám, '?' = không rõ. Xe đi bên phải; mũi tên chỉ về vạch dừng.",
    ),
    "approaches": ("Approaches", "Các nhánh vào nút"),
    "junction": ("junction", "nút giao"),
    "approach": ("approach", "nhánh"),
    "from": ("from", "từ"),
    "queue": ("queue, 95th percentile, m", "hàng chờ, phân vị 95, m"),
    "los": ("level of service", "mức phục vụ"),
    "los_note": (
        "Level of service A-F by the control-delay thresholds of the HCM: indicative, not calibrated for motorcycles.",
        "Mức phục vụ A-F theo ngưỡng thời gian chậm xe của HCM: chỉ tham khảo, chưa hiệu chỉnh cho xe máy.",
    ),
    "timings": ("Signal timings", "Pha đèn và chu kỳ"),
    "cycle": ("cycle, s", "chu kỳ đèn, s"),
    "offset_word": ("offset", "độ lệch pha"),
    "offset": ("offset, s", "độ lệch pha, s"),
    "split": ("split", "thời gian pha"),
    "phase": ("phase", "pha"),
    "ring": ("ring", "vòng"),
    "green": ("green", "xanh"),
    "yellow": ("yellow", "vàng"),
    "red_clear": ("all-red", "đỏ toàn bộ"),
    "red": ("red", "đỏ"),
    "yields": ("green, gives way", "xanh, nhường đường"),
    "turn_on_red": ("turn on red", "rẽ khi đèn đỏ"),
    "min_split": ("least split", "thời gian pha tối thiểu"),
    "serves": ("serves", "phục vụ"),
    "coordinated": ("coordinated phase", "pha phối hợp"),
    "unchanged": ("kept as it is", "giữ nguyên"),
    "rings": ("Ring-barrier diagram", "Sơ đồ vòng - rào chắn"),
    "lamps": ("Timing diagram", "Biểu đồ đèn tín hiệu"),
    "cycle_time": ("time in the cycle, s", "thời gian trong chu kỳ, s"),
    "timings_note": (
        "A split is green + yellow + all-red. Offset = start of green of the coordinated phase (★) after master zero. "
        "Thick lines are barriers, which all rings cross together.",
        "Thời gian pha = xanh + vàng + đỏ toàn bộ. Độ lệch pha = lúc pha phối hợp (★) bật xanh so với mốc 0 chung. "
        "Vạch đậm là rào chắn mà mọi vòng cùng vượt qua.",
    ),
    "corridor": ("Time-space diagram", "Biểu đồ thời gian - không gian"),
    "corridor_note": (
        "Green of the movement that goes on along the corridor: upper strip outbound, lower strip inbound. "
        "Bands are vehicles that meet only green at {speed} km/h.",
        "Đèn xanh của hướng đi dọc tuyến: dải trên là chiều đi, dải dưới là chiều về. "
        "Dải màu là các xe luôn gặp đèn xanh ở tốc độ {speed} km/h (làn sóng xanh).",
    ),
    "outbound": ("outbound", "chiều đi"),
    "inbound": ("inbound", "chiều về"),
    "band": ("green band", "làn sóng xanh"),
    "no_band": ("no common cycle: no band", "không có chu kỳ chung: không có làn sóng xanh"),
    "time_axis": ("time after master zero, s", "thời gian từ mốc 0 chung, s"),
    "distance_axis": ("distance, m", "khoảng cách, m"),
    "counts": ("Counts against truth", "Số đếm so với thực tế"),
    "counts_note": (
        "Flow per movement, veh/h. GEH < 5 is the usual mark of a good match; it needs hourly flows.",
        "Lưu lượng theo hướng, xe/giờ. GEH < 5 là mức thường được coi là khớp tốt; tính trên lưu lượng giờ.",
    ),
    "historic": ("historic", "số liệu cũ"),
    "counted": ("counted by cameras", "camera đếm"),
    "geh_historic": ("GEH historic", "GEH số liệu cũ"),
    "geh_counted": ("GEH counted", "GEH camera đếm"),
    "note": ("note", "ghi chú"),
    "truth": ("true flow of the street", "lưu lượng thật"),
    "movement": ("movement", "hướng đi"),
    "censored": ("lower bound (saturated)", "cận dưới (bão hòa)"),
    "count_error": ("sum of |counted − true| / sum of true", "tổng |đếm − thật| / tổng thật"),
    "geh_share": ("movements with GEH < 5", "số hướng có GEH < 5"),
    "fit": ("Calibrated demand", "Nhu cầu đã hiệu chỉnh"),
    "fit_note": (
        "What the twin's demand gives at each counter against what was counted; held-out counts took no part.",
        "Lưu lượng trong mô phỏng so với số đếm; các số đếm để kiểm tra không dùng khi hiệu chỉnh.",
    ),
    "fitted": ("fitted, veh/h", "hiệu chỉnh, xe/giờ"),
    "counted_vph": ("counted, veh/h", "đếm, xe/giờ"),
    "used": ("used in the fit", "dùng để hiệu chỉnh"),
    "held_out": ("held out", "để kiểm tra"),
    "candidates": ("Candidate plans in the twin", "Các phương án trong mô phỏng (bản sao số)"),
    "candidates_note": (
        "Every candidate ran in the twin on the same seeds; keeping the old plan is always one of them.",
        "Mọi phương án được mô phỏng với cùng hạt ngẫu nhiên; giữ phương án cũ luôn là một lựa chọn.",
    ),
    "candidate": ("candidate", "phương án"),
    "how": ("how it was made", "cách lập"),
    "against_keep": ("against the old plan, s per vehicle", "so với phương án cũ, giây/xe"),
    "against_short": ("against the old plan", "so với phương án cũ"),
    "chosen": ("chosen", "được chọn"),
    "refused": ("refused by the guard", "bộ kiểm tra an toàn từ chối"),
    "keep": ("keep the old plan", "giữ phương án cũ"),
    "why": ("Why", "Lý do"),
    "pushes": ("Plans sent to the controllers", "Phương án gửi đến tủ điều khiển"),
    "street_time": ("street time", "giờ trên đường"),
    "pattern": ("pattern", "mẫu"),
    "state": ("state", "trạng thái"),
    "confirmed": ("confirmed", "đã xác nhận"),
    "released": ("released", "đã trả quyền"),
    "readback": ("read back equal", "đọc lại trùng khớp"),
    "reason": ("reason", "lý do"),
    "no_pushes": ("No plan was sent.", "Không gửi phương án nào."),
    "log": ("Log of the run", "Nhật ký"),
    "kind": ("kind", "loại"),
    "text": ("event", "sự kiện"),
    "other_seeds": ("Other seeds", "Các lần chạy khác"),
    "again": ("Settings, seeds, versions", "Cài đặt, hạt ngẫu nhiên, phiên bản"),
    "scenario": ("scenario", "kịch bản"),
    "window": ("measuring window (street time)", "khoảng đo (giờ trên đường)"),
    "street_seeds": ("street seeds", "hạt ngẫu nhiên của đường"),
    "twin_seeds": ("twin seeds", "hạt ngẫu nhiên của mô phỏng"),
    "command": ("command to make it again", "lệnh để chạy lại"),
    "commit": ("commit of the code", "phiên bản mã nguồn"),
    "started": ("started", "bắt đầu"),
    "wall": ("wall time, s", "thời gian chạy, s"),
    "network_file": ("network", "mạng lưới"),
    "nothing": ("No data in this run.", "Lần chạy này không có số liệu."),
    "north": ("North", "Bắc"),
}

MEASURES: dict[str, tuple[str, str, str, int]] = {
    "delay_s": ("delay per vehicle, by trip records", "thời gian chậm xe, theo hành trình", "s/veh", 1),
    "delay_log_s": ("delay per vehicle and junction, by log", "thời gian chậm xe mỗi nút, theo nhật ký", "s/veh", 1),
    "delay_person_s": ("delay per person", "thời gian chậm theo người", "s/person", 1),
    "delay_mcu_s": ("delay per motorcycle unit (MCU)", "thời gian chậm theo xe máy quy đổi", "s/MCU", 1),
    "trip_time_s": ("trip time", "thời gian hành trình", "s/veh", 1),
    "wait_s": ("waiting time", "thời gian dừng chờ", "s/veh", 1),
    "stops": ("stops", "số lần dừng", "1/veh", 2),
    "queue_veh": ("queued vehicles, mean over time", "số xe trong hàng chờ, trung bình", "veh", 1),
    "queue_m": ("back of queue, 95th percentile", "đuôi hàng chờ, phân vị 95", "m", 1),
    "arrived": ("vehicles arrived", "xe đã đến nơi", "veh", 0),
    "running": ("vehicles under way at the end", "xe còn trên đường khi kết thúc", "veh", 0),
    "not_departed": ("vehicles that could not enter", "xe chưa vào được mạng", "veh", 0),
    "teleports": ("teleports", "xe bị dịch chuyển", "veh", 0),
    "collisions": ("collisions in the simulation", "va chạm trong mô phỏng", "1", 0),
}
"""Key of a measure -> English, Vietnamese, unit, digits after the point."""

COMPASS = (
    ("N", "Bắc"),
    ("NE", "Đông Bắc"),
    ("E", "Đông"),
    ("SE", "Đông Nam"),
    ("S", "Nam"),
    ("SW", "Tây Nam"),
    ("W", "Tây"),
    ("NW", "Tây Bắc"),
)

TURN_ARROWS = {"t": "↶", "l": "↰", "L": "↖", "s": "↑", "R": "↗", "r": "↱"}
"""SUMO's directions as arrows, seen by the driver who arrives, from left to right."""


def text(key: str, **values: str) -> Markup:
    """Return both languages as two marked spans, of which the page's switch shows one or both."""
    return span(*(words.format(**values) for words in TEXT[key]))


def span(english: str, vietnamese: str) -> Markup:
    """Return two marked spans."""
    return Markup('<span class="en" lang="en">{}</span> <span class="vi" lang="vi">{}</span>').format(
        escape(english), escape(vietnamese)
    )


def label(key: str) -> str:
    """Return both languages in one line, for the axes of a chart.

    Examples
    --------
    >>> label("before")
    'before · trước'
    """
    return " · ".join(TEXT[key])


def measure_name(key: str) -> Markup:
    """Return a measure's name; a key without a name stands for itself."""
    english, vietnamese, *_ = MEASURES.get(key, (key, key, "", 1))
    return span(english, vietnamese)


def measure_unit(key: str) -> str:
    """Return a measure's unit."""
    return MEASURES.get(key, ("", "", "", 1))[2]


def measure_digits(key: str) -> int:
    """Return how many digits after the point a measure is worth."""
    return MEASURES.get(key, ("", "", "", 1))[3]


def turn_arrows(directions: Iterable[str]) -> str:
    """Return SUMO's directions as arrows, from left to right.

    Examples
    --------
    >>> turn_arrows(["r", "s", "l", "s"])
    '↰↑↱'
    """
    found = set(directions)
    return "".join(arrow for direction, arrow in TURN_ARROWS.items() if direction in found)


def origin(bearing_deg: float) -> str:
    """Return where an approach comes from: opposite to where it is heading.

    Examples
    --------
    >>> origin(90.0)
    'W·Tây'
    """
    english, vietnamese = COMPASS[floor((bearing_deg + 180.0 + 22.5) / 45.0) % 8]
    return f"{english}·{vietnamese}"


def number(value: float | None, digits: int = 1, *, sign: bool = False) -> str:
    """Return a number with a true minus sign; unknown where it is None or not finite.

    Examples
    --------
    >>> number(-3.25), number(4.0, sign=True), number(None)
    ('−3.2', '+4.0', 'unknown / không rõ')
    """
    if value is None or not isfinite(value):
        return UNKNOWN
    rounded = round(value, digits) + 0.0
    return f"{rounded:{'+' if sign and rounded else ''}.{digits}f}".replace("-", "−")


def clock(time_s: float) -> str:
    """Return street time as hours, minutes and seconds.

    Examples
    --------
    >>> clock(25200.5)
    '07:00:00.5'
    """
    if not isfinite(time_s):
        return UNKNOWN
    tenths = round(time_s * 10)
    seconds, rest = divmod(tenths, 10)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}" + (f".{rest}" if rest else "")


def level_of_service(delay_s: float) -> str:
    """Return A-F by control delay at signals, '' where unknown.

    References
    ----------
    Highway Capacity Manual 2010, exhibit 18-4: 10, 20, 35, 55, 80 s per vehicle.

    Examples
    --------
    >>> level_of_service(10.0), level_of_service(34.0), level_of_service(80.1)
    ('A', 'C', 'F')
    """
    if not isfinite(delay_s):
        return ""
    limits = ((10.0, "A"), (20.0, "B"), (35.0, "C"), (55.0, "D"), (80.0, "E"))
    return next((letter for limit, letter in limits if delay_s <= limit), "F")
