"""Random nets of layers on which OpenCV agrees with Caffe."""

import numpy as np


class RandomNet:
    """A net with weights.

    Attributes:
        text: its prototxt.
        shape: of its input, N x C x H x W.
        blobs: dict of layer names to lists of arrays.
    """

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.lines = []
        self.blobs = {}
        size = self.rng.integers(9, 20, 2)
        self.shape = (2, 2 * int(self.rng.integers(1, 4)), *map(int, size))
        dims = " ".join(f"dim: {n}" for n in self.shape)
        self.lines.append(f'name: "random" input: "data" input_shape {{ {dims} }}')
        self.blob, self.channels = "data", self.shape[1]
        self.size = list(self.shape[2:])
        makers = [self.convolution, self.pooling, self.norms, self.function, self.branches]
        makers += [self.deconvolution]
        for _ in range(self.rng.integers(3, 8)):
            self.rng.choice(makers)()
        self.head()

    @property
    def text(self):
        return "\n".join(self.lines)

    def name(self):
        return f"layer/{len(self.lines)}"

    def add(self, kind, fields="", bottoms=None, top=None, blobs=None):
        name = self.name()
        bottoms = bottoms or [self.blob]
        top = top or name
        names = "".join(f' bottom: "{bottom}"' for bottom in bottoms)
        self.lines.append(f'layer {{ name: "{name}" type: "{kind}"{names} top: "{top}" {fields} }}')
        self.blobs[name] = blobs or []
        self.blob = top
        return top

    def weights(self, *shape):
        return self.rng.normal(0, 0.5, shape).astype(np.float32)

    def convolution(self):
        kernel = [int(self.rng.integers(1, 4)) for _ in range(2)]
        dilation = int(self.rng.integers(1, 3))
        stride = int(self.rng.integers(1, 3)) if dilation == 1 else 1
        pad = [int(self.rng.integers(0, 3)) for _ in range(2)]
        group = int(self.rng.choice([1, 2]))
        if group == self.channels and dilation > 1:  # OpenCV 4.14 gets these wrong
            group = 1
        outputs = 2 * int(self.rng.integers(1, 4))
        size = [
            (n + 2 * p - dilation * (k - 1) - 1) // stride + 1
            for n, k, p in zip(self.size, kernel, pad, strict=True)
        ]
        if min(size) < 2:
            return
        bias = bool(self.rng.integers(2))
        blobs = [self.weights(outputs, self.channels // group, *kernel)]
        blobs += [self.weights(outputs)] * bias
        self.add(
            "Convolution",
            f"convolution_param {{ num_output: {outputs} kernel_h: {kernel[0]} kernel_w: "
            f"{kernel[1]} pad_h: {pad[0]} pad_w: {pad[1]} stride: {stride} dilation: {dilation} "
            f"group: {group} bias_term: {str(bias).lower()} }}",
            blobs=blobs,
        )
        self.channels, self.size = outputs, size

    def deconvolution(self):
        kernel, stride = int(self.rng.integers(2, 5)), int(self.rng.integers(1, 3))
        pad = int(self.rng.integers(0, 2))
        size = [stride * (n - 1) + kernel - 2 * pad for n in self.size]
        if min(size) < 2 or max(size) > 40:
            return
        outputs = 2 * int(self.rng.integers(1, 3))
        blobs = [self.weights(self.channels, outputs, kernel, kernel), self.weights(outputs)]
        self.add(
            "Deconvolution",
            f"convolution_param {{ num_output: {outputs} kernel_size: {kernel} stride: {stride} "
            f"pad: {pad} }}",
            blobs=blobs,
        )
        self.channels, self.size = outputs, size

    def pooling(self):
        kernel = int(self.rng.integers(2, 4))
        stride = int(self.rng.integers(1, kernel + 1))
        pad = int(self.rng.integers(0, 2))
        size = []
        for n in self.size:
            count = -(-(n + 2 * pad - kernel) // stride) + 1
            size.append(count - 1 if pad and (count - 1) * stride >= n + pad else count)
        if min(size) < 2:
            return
        pool = self.rng.choice(["MAX", "AVE"])
        fields = f"pool: {pool} kernel_size: {kernel} stride: {stride} pad: {pad}"
        self.add("Pooling", f"pooling_param {{ {fields} }}")
        self.size = size

    def norms(self):
        if self.rng.integers(2):
            region = self.rng.choice(["ACROSS_CHANNELS", "WITHIN_CHANNEL"])
            self.add(
                "LRN", f"lrn_param {{ local_size: 3 alpha: 0.5 beta: 0.7 norm_region: {region} }}"
            )
            return
        sums = [self.weights(self.channels), np.abs(self.weights(self.channels)) + 0.5]
        self.add("BatchNorm", top=self.blob, blobs=[*sums, np.float32([2])])
        blobs = [self.weights(self.channels), self.weights(self.channels)]
        self.add("Scale", "scale_param { bias_term: true }", top=self.blob, blobs=blobs)

    def function(self):
        kind, fields = [
            ("ReLU", ""),
            ("ReLU", "relu_param { negative_slope: 0.1 }"),
            ("ELU", ""),
            ("Sigmoid", ""),
            ("TanH", ""),
            ("AbsVal", ""),
            ("BNLL", ""),
            ("Power", "power_param { scale: 0.5 shift: 0.3 }"),
            ("Exp", "exp_param { scale: 0.1 }"),
            ("Dropout", ""),
            ("PReLU", ""),
        ][self.rng.integers(11)]
        blobs = [self.weights(self.channels)] if kind == "PReLU" else []
        self.add(kind, fields, top=self.blob, blobs=blobs)

    def branches(self):
        start, channels, size = self.blob, self.channels, self.size
        ends = []
        for _ in range(2):
            self.blob, self.channels = start, channels
            outputs = channels
            blobs = [self.weights(outputs, channels, 3, 3), self.weights(outputs)]
            fields = f"convolution_param {{ num_output: {outputs} kernel_size: 3 pad: 1 }}"
            ends.append(self.add("Convolution", fields, blobs=blobs))
        self.size = size
        kind = self.rng.integers(3)
        if kind == 0:
            self.add("Concat", bottoms=ends)
            self.channels = 2 * channels
        elif kind == 1:
            self.add("Eltwise", "eltwise_param { coeff: 1 coeff: -0.5 }", bottoms=ends)
        else:
            operation = self.rng.choice(["SUM", "PROD", "MAX"])
            self.add("Eltwise", f"eltwise_param {{ operation: {operation} }}", bottoms=ends)

    def head(self):
        inputs = self.channels * self.size[0] * self.size[1]
        blobs = [self.weights(5, inputs) / np.sqrt(np.float32(inputs)), self.weights(5)]
        self.add("InnerProduct", "inner_product_param { num_output: 5 }", blobs=blobs)
        self.add("Softmax")
