"""Write the codes of a file into an ONNX graph, so that a runtime computes with integers."""
