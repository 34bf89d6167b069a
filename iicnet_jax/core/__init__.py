"""What every other room stands on; knows nothing of images."""
