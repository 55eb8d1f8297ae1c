"""Methods that prove the shapes fit, one file a method. They need not ship."""
