"""What is run before the first request."""

import pytest
from tensorflow.core.protobuf import meta_graph_pb2

from aline_tf.serving.embedded.loading import LoadedModel


@pytest.mark.parametrize(
    ("names", "ran"),
    [
        (("step", "serving_default", "propose", "infer"), ["propose"]),
        (("step", "serving_default"), ["serving_default"]),
        (("first", "second"), ["first", "second"]),
    ],
)
def test_the_signature_that_is_asked_most_is_run_first_and_no_other(names, ran):
    called = []
    functions = {name: lambda name=name, **inputs: called.append((name, inputs)) for name in names}
    definitions = {}
    for name in names:
        definitions[name] = meta_graph_pb2.SignatureDef()
        info = definitions[name].inputs["x"]
        info.dtype = 1
        for size in (-1, 0, 3):
            info.tensor_shape.dim.add(size=size)
    LoadedModel(functions, definitions).warm_up()
    assert [name for name, _ in called] == ran
    # Free sizes are 1; a task may have none of something.
    assert called[0][1]["x"].shape == (1, 0, 3)
