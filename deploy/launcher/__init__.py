"""Set-up and processes: what bin/start and bin/demo run once the virtual environment exists."""
