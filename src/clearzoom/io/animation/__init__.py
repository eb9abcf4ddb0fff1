"""Read and write animations: GIF, APNG, animated WebP and AVIF sequences."""
