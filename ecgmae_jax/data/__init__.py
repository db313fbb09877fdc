"""From built TFDS datasets to batches: sources, labels, loaders, transforms, splits by patient."""
