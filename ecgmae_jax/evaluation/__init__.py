"""What an encoder is worth: embeddings, probes, discrimination with intervals, the report."""
