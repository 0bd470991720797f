"""What the host application may ask, one module for each thing asked about."""
