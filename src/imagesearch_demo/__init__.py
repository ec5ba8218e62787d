"""The drawn album and its three small models: pictures with a known truth, for demo, tests and notebook."""
