"""The files of onnxruntime-web, beside this one; clearzoom's server sends them to browsers."""
