"""Layers that share their weights: `param { name: "w" }` in both."""


def owners(net):
    """Return which layer owns the weights of another one, a dict of layer names.

    Raises:
        NotImplementedError: if a layer shares some of its blobs only, or in another order, or
            with a layer of another type.
    """
    first, owner = {}, {}
    for layer in net.layers:
        names = [spec.name for spec in layer.params]
        known = [first.get(name) for name in names if name]
        if not any(known):
            first |= {name: (layer, i) for i, name in enumerate(names) if name}
            continue
        source = next(entry for entry in known if entry)[0]
        if names != [spec.name for spec in source.params] or source.type != layer.type:
            raise NotImplementedError(
                f"{layer.where}: layer {layer.name!r} ({layer.type}) shares single blobs by param "
                f"name with layer {source.name!r} ({source.where}). Only layers of one type that "
                "share all of their blobs are supported."
            )
        owner[layer.name] = source.name
    return owner
