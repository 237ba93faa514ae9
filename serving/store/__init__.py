"""The store: what people and services write, behind one URL. SQLite by default, PostgreSQL later."""

from serving.store.releases import Draft, Event, Pointer, Published, Release, SteppedBack, StoredBundle
from serving.store.store import Store

__all__ = ["Draft", "Event", "Pointer", "Published", "Release", "SteppedBack", "Store", "StoredBundle"]
