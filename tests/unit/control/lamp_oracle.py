"""An independent judge of what lamps showed, second by second; it shares no code with the guard."""

from __future__ import annotations

from collections.abc import Sequence

from traffic.signals import Junction


def lamp_breaches(junction: Junction, shown: Sequence[str], min_green_s: int) -> list[str]:
    """Return every breach in a record of one lamp string a second."""
    breaches = []
    for second, lamps in enumerate(shown):
        for i, j in junction.conflicts:
            if lamps[i] == "G" and lamps[j] == "G":
                breaches.append(f"{second}: {i} and {j} both G in {lamps}")
            elif lamps[i] in "Gg" and lamps[j] in "Gg":
                waits = [pair for pair, letter in (((i, j), lamps[i]), ((j, i), lamps[j])) if letter == "g"]
                if not any(pair in junction.permissive for pair in waits):
                    breaches.append(f"{second}: {i} and {j} green in {lamps}")
    phase = junction.phases[0]
    yellow_s, red_s = phase.yellow_ds // 10, phase.red_clear_ds // 10
    for link in range(junction.n_links):
        breaches += _link_breaches(junction, shown, link, (min_green_s, yellow_s, red_s))
    return breaches


def _link_breaches(junction: Junction, shown: Sequence[str], link: int, least: tuple[int, int, int]) -> list[str]:
    min_green_s, yellow_s, red_s = least
    breaches = []
    letters = "".join("G" if lamps[link] in "Gg" else lamps[link] for lamps in shown)
    start = None
    for second in range(1, len(letters)):
        if letters[second] == "G" != letters[second - 1]:
            start = second
            if letters[second - 1] == "y":
                breaches.append(f"{second}: link {link} turns green again out of yellow")
        if letters[second] != "G" and letters[second - 1] == "G":
            if start is not None and second - start < min_green_s:
                breaches.append(f"{second}: link {link} green for {second - start} s")
            shown_yellow = letters[second : second + yellow_s]
            if shown_yellow != "y" * len(shown_yellow):
                breaches.append(f"{second}: link {link} shows {shown_yellow} after green")
            for later in range(second, min(second + yellow_s + red_s, len(letters))):
                for i, j in junction.conflicts:
                    foe = j if i == link else i if j == link else None
                    if foe is not None and shown[later][foe] in "Gg" and shown[later - 1][foe] not in "Gg":
                        breaches.append(f"{later}: foe {foe} green {later - second} s after link {link}")
    return breaches
