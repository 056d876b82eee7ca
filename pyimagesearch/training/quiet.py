"""Import this before Keras in a script: it imports Keras without the framework's start-up chatter.

TensorFlow's C++ part writes some lines straight to the terminal before any of its settings has a
say, so standard error is held back during the import, and shown only if the import fails.
"""

import os
import sys
import tempfile


def import_keras():
    """Import Keras with its backend, silently."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            import keras  # noqa: F401, PLC0415
        except KeyboardInterrupt:  # it takes seconds: a user may think better of it
            sys.exit(130)
        except BaseException:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


import_keras()
