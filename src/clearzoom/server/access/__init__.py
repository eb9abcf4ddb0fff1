"""Pictures that only those see who know a password, by IIIF Authorization Flow 2.0."""
