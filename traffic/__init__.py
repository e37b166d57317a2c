"""The shared words: pure data and rules that simulation, control and vision all speak."""
