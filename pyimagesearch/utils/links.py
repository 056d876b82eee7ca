"""Tell symbolic links that stay in a folder from those that leave it."""


def leaves(path, root):
    """Whether a path is a link to something outside `root` or to nothing.

    Args:
        path: pathlib.Path of a file or folder below the folder.
        root: pathlib.Path of the folder, resolved.
    """
    if not path.is_symlink():
        return False
    return not path.exists() or not path.resolve().is_relative_to(root)
