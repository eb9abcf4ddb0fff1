"""The deep-zoom server: IIIF, Deep Zoom, a page, and an API for programs."""
