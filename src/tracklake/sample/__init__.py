"""The sample athlete of the demo: an invented person, made from a seed and a day."""
