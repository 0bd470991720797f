"""Use cases, one function each: the only code that writes or commits."""
