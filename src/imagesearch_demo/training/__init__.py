"""Training of the demo's small models. Its modules define networks, so importing them loads torch."""
