"""What comes in by a form, checked at the door and turned into domain objects."""
