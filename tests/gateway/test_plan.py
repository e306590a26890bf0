"""Which sensor or question is worth it."""

import json
import threading

import pytest

from aline_tf.gateway.failures import Busy
from aline_tf.gateway.forecasts.plans import Plans
from aline_tf.migraine.records.fhir_export import observations
from tests.gateway.conftest import NOW
from tests.gateway.test_readings import bundle


class TestPlan:
    def test_it_is_that_of_the_command_line(self, clocked, compiled_model, life):
        from aline_tf.migraine.forecast.plan import Scores, make_plan
        from aline_tf.migraine.forecast.twins import live_twins

        clocked.clock[0] = NOW
        with clocked.person() as person:
            person.post("/v1/readings", json=bundle(list(observations(life))))
            found = person.get("/v1/plan", params={"budget": 1.5}).json()
            standing = clocked.service.forecasts._standing(clocked.service.person_of(person.token))
            plan = make_plan(
                Scores(compiled_model, live_twins(compiled_model, standing.history, 8)), 1.5
            )
            assert found["twins"] == 8 and found["evening"] == standing.now.isoformat()
            assert found["chosen"]["cost"] == plan.chosen.cost <= 1.5
            assert found["chosen"]["log_score"] == pytest.approx(plan.chosen.log_score, abs=1e-6)
            assert [o["label"] for o in found["chosen"]["options"]] == [
                option.label for option in plan.chosen.options
            ]
            assert len(found["alone"]) == len(plan.alone) and set(found["devices"]) == set(
                plan.devices
            )
            # Known already.
            assert person.get("/v1/plan", params={"budget": 1.5}).json() == found

    @pytest.mark.parametrize("budget", ["0", "-1", "31", "nan", "inf", "x"])
    def test_budgets_that_cannot_be_meant(self, clocked, budget):
        with clocked.person() as person:
            assert person.get("/v1/plan", params={"budget": budget}).status_code == 422

    def test_one_is_made_at_a_time_and_kept(self):
        plans, began, go = Plans(), threading.Event(), threading.Event()
        made = []

        def make():
            began.set()
            assert go.wait(30)
            made.append(1)
            return {"plan": len(made)}

        first = threading.Thread(target=plans.of, args=(("a", 1), make))
        first.start()
        assert began.wait(30)
        with pytest.raises(Busy, match="ask again"):
            plans.of(("b", 1), dict)
        go.set()
        first.join()
        assert plans.of(("a", 1), make) == {"plan": 1} and made == [1]
        with pytest.raises(ValueError):
            plans.of(("b", 1), lambda: json.loads("x"))
        assert plans.of(("b", 1), lambda: {"plan": 2}) == {"plan": 2}
        plans.forget("a")
        assert plans.of(("a", 1), lambda: {"plan": 3}) == {"plan": 3}
        assert plans.of(("b", 1), make) == {"plan": 2}
