"""The payment gateways, each against the same contract."""
