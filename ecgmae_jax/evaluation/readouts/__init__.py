"""What frozen features say: probes and their kin, and the features that no training made."""
