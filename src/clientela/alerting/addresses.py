"""Where alerts go, as the environment says it: addresses that let people write stand in no file."""

from collections.abc import Mapping

from pydantic import ValidationError

from clientela.alerting.delivery import Delivery, deliveries, log_deliveries
from clientela.alerting.settings import AlertSettings
from clientela.drift.alerts import Alert


def sent_alert(
    alert: Alert,
    kinds: Mapping[str, str],
    environment: Mapping[str, str],
    deadline_seconds: float,
) -> list[Delivery]:
    """What became of an alert on each channel that has an address.

    Args:
        alert: What to send.
        kinds: `webhook` and `sns` to the variable that holds its address.
        environment: Variables of the process.
        deadline_seconds: For all channels together.

    Returns:
        One item per channel; an address that is none is a failed delivery, not an error.
    """
    fields = {"webhook": "url", "sns": "topic_arn"}
    given = {kind: environment.get(variable, "") for kind, variable in kinds.items()}
    channels = [{"kind": kind, fields[kind]: address} for kind, address in given.items() if address]
    try:
        settings = AlertSettings.model_validate(
            {"channels": channels, "deadline_seconds": deadline_seconds}
        )
    except ValidationError as err:
        wrong = sorted({int(str(each["loc"][1])) for each in err.errors()})
        names = [str(channels[place]["kind"]) for place in wrong]
        failed = [
            Delivery(alert.id, name, False, 0, f"{kinds[name]}: no address") for name in names
        ]
        log_deliveries(failed)
        others = {kind: variable for kind, variable in kinds.items() if kind not in names}
        return failed + sent_alert(alert, others, environment, deadline_seconds)
    return deliveries(alert, settings)
