"""Learned models: text in, vectors and ranked ids out; no web, no database."""
