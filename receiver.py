"""What gunicorn serves where alerts are taken apart from the pages."""

from app.receiver import create_receiver

app = create_receiver()
