"""The forecast as plain data, for programs: the numbers and sentences that the report shows."""

from __future__ import annotations

import dataclasses
from typing import Any

from aline_tf.migraine.forecast import wording
from aline_tf.migraine.forecast.outlook import Outlook


def outlook_document(outlook: Outlook) -> dict[str, Any]:
    """An outlook as a JSON object. Probabilities lie between 0 and 1, information is in nats.

    Args:
        outlook: what the report is made of.
    """
    attacks, reported = outlook.attack_days
    summary = outlook.summary
    return {
        "now": outlook.history.now.isoformat(),
        "caveats": wording.notes(outlook),
        "risks": [dataclasses.asdict(risk) for risk in outlook.risks],
        "days": {
            "looked_at": len(outlook.history.dates),
            "with_records": outlook.days_recorded,
            "told_by_the_diary": reported,
            "with_an_attack": attacks,
            "share_with_an_attack": outlook.attack_share,
            "attacks_alone": outlook.attacks_alone,
            "since_the_last_record": outlook.silent_days,
        },
        "records": {"read": dict(summary.read), "skipped": dict(summary.skipped)},
        "unlikeness": dataclasses.asdict(outlook.unlikeness),
        "triggers": {
            "evidence": outlook.tells_of_triggers,
            "posteriors": [dataclasses.asdict(trigger) for trigger in outlook.triggers],
        },
        "track_record": {
            "sentence": wording.track_record(outlook.score),
            "score": outlook.score and dataclasses.asdict(outlook.score),
        },
        "next": [
            {
                "channel": valued.candidate.channel,
                "days_ago": valued.candidate.days_ago,
                "slot": valued.candidate.slot,
                "gain": valued.gain,
                "cost": valued.cost,
                "value": valued.value,
            }
            for valued in outlook.next_candidates
        ],
        "plan": outlook.plan and dataclasses.asdict(outlook.plan[0]),
        "not_a_device": wording.NOT_A_DEVICE,
    }
