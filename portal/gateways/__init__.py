"""The outside world behind the seams of the domain: payment processors and their news."""
