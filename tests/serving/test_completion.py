"""What a caller leaves out follows from the sizes; what cannot be meant is refused."""

import numpy as np
import pytest

from aline_tf.errors import InputError
from aline_tf.serving.completion import complete_inputs
from aline_tf.serving.signatures import SIGNATURES

SIMPLE = {"D": 1, "F": 1, "P": 2}


def complete(signature, batch, sizes=None):
    return complete_inputs(signature, batch, SIGNATURES[signature], sizes or SIMPLE)


def test_nothing_at_all_is_one_row_that_knows_nothing():
    inputs = complete("infer", {})
    assert set(inputs) == set(SIGNATURES["infer"])
    assert inputs["context_design"].shape == (1, 0, 1)
    assert inputs["context_outcome"].shape == (1, 0, 1)
    assert inputs["known_theta"].shape == inputs["known_mask"].shape == (1, 2)
    assert not inputs["known_mask"].any()


def test_simple_outcomes_need_no_status_mask_or_last_axis():
    inputs = complete("infer", {"context_design": [[[0.5], [1]]], "context_outcome": [[1, 0]]})
    assert inputs["context_outcome"].shape == (1, 2, 1)
    assert inputs["context_outcome"].dtype == np.float32
    np.testing.assert_array_equal(inputs["context_status"], np.ones([1, 2, 1]))
    assert inputs["context_status"].dtype == np.int32
    assert inputs["context_mask"].all() and inputs["context_mask"].dtype == bool


class TestStatus:
    """Whether an outcome was observed is said, never guessed from a NaN."""

    def batch(self, outcome, **rest):
        design = np.zeros([1, len(outcome), 1])
        return {"context_design": design, "context_outcome": [outcome]} | rest

    def test_nan_without_a_status_is_refused(self):
        for signature in SIGNATURES:
            needed = {"target_design": [[[0.0]]], "candidate_design": [[[0.0]]]}
            with pytest.raises(InputError, match=r"expected context_status .*NaN.*received none"):
                complete(signature, self.batch([np.nan, 3.0]) | needed)

    def test_nan_is_what_its_status_says(self):
        status = [[0, 1, 2]]
        inputs = complete("infer", self.batch([np.nan, 3.0, np.nan], context_status=status))
        assert inputs["context_status"][0, :, 0].tolist() == [0, 1, 2]
        assert inputs["context_outcome"][0, :, 0].tolist() == [0.0, 3.0, 0.0]

    def test_nan_that_was_observed_is_refused(self):
        with pytest.raises(InputError, match="expected finite numbers in context_outcome"):
            complete("infer", self.batch([np.nan], context_status=[[1]]))

    def test_padding_may_be_nan(self):
        inputs = complete("infer", self.batch([3.0, np.nan], context_mask=[[True, False]]))
        assert inputs["context_status"][0, :, 0].tolist() == [1, 0]

    def test_whatever_is_missing_is_refused_or_was_said(self):
        draws = np.random.default_rng(0)
        for _ in range(50):
            count = draws.integers(1, 6)
            outcome = np.where(draws.random(count) < 0.4, np.nan, 1.0).tolist()
            mask, status = draws.random((1, count)) < 0.7, draws.integers(0, 3, (1, count))
            given = {"context_mask": mask} if draws.random() < 0.5 else {}
            given |= {"context_status": status} if draws.random() < 0.5 else {}
            read = mask if "context_mask" in given else np.ones([1, count], bool)
            if "context_status" in given:
                read = status == 1
            nonsense = (np.isnan(outcome) & read).any()
            try:
                inputs = complete("infer", self.batch(outcome, **given))
            except InputError:
                assert nonsense
            else:
                assert not nonsense and np.isfinite(inputs["context_outcome"]).all()


def test_the_batch_size_comes_from_whatever_is_given():
    inputs = complete("propose", {"candidate_design": np.zeros([5, 3, 1])})
    assert {array.shape[0] for array in inputs.values()} == {5}
    assert inputs["candidate_mask"].shape == (5, 3) and inputs["candidate_mask"].all()


class TestTargets:
    def selected(self, sizes=None, **masks):
        pool = {"target_design": np.zeros([1, 2, 1]), "candidate_design": np.zeros([1, 3, 1])}
        inputs = complete("step", pool | masks, sizes)
        return inputs["theta_mask"].tolist(), inputs["target_mask"].tolist()

    def test_without_masks_every_parameter(self):
        assert self.selected() == ([[True, True]], [[False, False]])

    def test_without_masks_or_parameters_every_prediction(self):
        assert self.selected({"D": 1, "F": 1, "P": 0}) == ([[]], [[True, True]])

    def test_one_mask_alone_selects_nothing_else(self):
        assert self.selected(theta_mask=[[True, False]]) == ([[True, False]], [[False, False]])
        assert self.selected(target_mask=[[1, 0]]) == ([[False, False]], [[True, False]])


def test_one_batch_serves_every_signature():
    whole = {
        "context_design": np.zeros([2, 3, 1]),
        "context_outcome": np.zeros([2, 3, 1]),
        "target_design": np.zeros([2, 4, 1]),
        "candidate_design": np.zeros([2, 5, 1]),
        "theta": np.zeros([2, 2]),
    }
    for signature, names in SIGNATURES.items():
        assert set(complete(signature, whole)) == set(names)


@pytest.mark.parametrize(
    ("signature", "batch", "message"),
    [
        ("predict", {}, "expected target_design for predict"),
        ("propose", {"candidate_design": None}, "expected candidate_design for propose"),
        ("infer", {"contxt": 1}, r"expected fields of a Batch .*; received 'contxt'"),
        ("infer", {"context_design": np.zeros([1, 2, 1])}, "expected context_outcome together"),
        ("infer", {"known_theta": [[0, 1]]}, "expected known_mask together with known_theta"),
        ("infer", {"known_theta": [[0]], "known_mask": [[1]]}, r"\[B, 2\]; received \[1, 1\]"),
        ("predict", {"target_design": [[1, 2]]}, r"\[B, M, 1\]; received \[1, 2\]"),
        ("predict", {"target_design": [["a"]]}, "target_design of dtype float32; received dtype"),
        ("predict", {"target_design": [[1], [1, 2]]}, "target_design of dtype float32; received"),
        ("predict", {"target_design": [[[np.nan]]]}, "expected finite numbers in target_design"),
        ("step", {"theta_mask": [[0.5, 1]]}, "expected True or False in theta_mask"),
        (
            "infer",
            {"context_design": [[[0]]], "context_outcome": [[[1]]], "context_status": [[[3]]]},
            "expected context_status of 0 ",
        ),
        (
            "infer",
            {"context_design": np.zeros([1, 2, 1]), "context_outcome": np.zeros([1, 3, 1])},
            r"expected one size C .*received context_design \[1, 2, 1\], context_outcome \[1, 3",
        ),
    ],
)
def test_refusals(signature, batch, message):
    with pytest.raises(InputError, match=message):
        complete(signature, batch)
