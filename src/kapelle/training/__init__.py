"""The only code that changes weights. Needs torch, which is imported with the modules inside."""
