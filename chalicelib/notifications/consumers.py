"""What wakes notifications: a notice on its queue."""

from chalicelib.edge.blueprint import FeatureBlueprint
from chalicelib.notice import Notice
from chalicelib.notifications import service

notification_events = FeatureBlueprint(__name__)


@notification_events.consumer("notifications", message=Notice)
def word_notice(notice: Notice) -> None:
    service.word_notice(notice)
