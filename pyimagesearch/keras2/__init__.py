"""Scripts of 2017, written for Keras 1 and 2, on Keras 3: run unmodified, or looked through."""
