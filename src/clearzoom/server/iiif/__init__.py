"""The IIIF Image API and Presentation API."""
