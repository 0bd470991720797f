"""The tests of the portal, by the layer they speak to."""
