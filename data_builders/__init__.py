"""Dataset builders (TensorFlow Datasets layout): recordings or scans in, ArrayRecord out."""
