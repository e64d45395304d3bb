from __future__ import annotations

import numpy as np
import onnxruntime
import torch

from mojing.train.export import Port, to_onnx
from mojing.train.nets.body import BodyNet


def test_a_label_that_is_surely_absent_keeps_finite_logits_in_the_file() -> None:
    torch.manual_seed(0)
    net = BodyNet().eval()
    with torch.no_grad():
        net.gate.fill_(1.0)
        last = net.presence[-1]
        assert isinstance(last, torch.nn.Linear)
        last.bias[3] = -300.0
    image = torch.rand(1, 3, 256, 192)
    model = to_onnx(net, inputs=[Port("image", image)], outputs=["parse", "alpha", "heat"])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    parse = np.asarray(session.run(["parse"], {"image": image.numpy()})[0])
    with torch.no_grad():
        wanted = net(image)[0].numpy()
    assert np.isfinite(parse).all()
    assert parse[0, 3].max() < -200
    np.testing.assert_allclose(parse, wanted, rtol=1e-3, atol=1e-3)
