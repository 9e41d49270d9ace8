"""What codes of states, recommendations and reasons mean to people, in Spanish and English."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from clientela.drift.state import Recommendation, State, StateReason


class Wording(NamedTuple):
    """One meaning.

    Attributes:
        es: In Spanish.
        en: In English.
    """

    es: str
    en: str


STATES: Mapping[State, Wording] = MappingProxyType(
    {
        "stable": Wording("estable", "stable"),
        "watch": Wording("en observación", "under watch"),
        "alarm": Wording("en alarma", "in alarm"),
    }
)

RECOMMENDATIONS: Mapping[Recommendation, Wording] = MappingProxyType(
    {
        "nothing": Wording("No hay que hacer nada.", "Nothing to do."),
        "watch": Wording("Observar el próximo período.", "Watch the next period."),
        "investigate": Wording(
            "Investigar la causa antes de decidir.", "Investigate the cause before deciding."
        ),
        "retrain": Wording(
            "Reentrenar con datos recientes y comparar con el modelo actual.",
            "Retrain on recent data and compare with the present model.",
        ),
    }
)

REASONS: Mapping[StateReason, Wording] = MappingProxyType(
    {
        "calm": Wording(
            "Ninguna variable cambió de forma relevante.", "No column moved in a way that matters."
        ),
        "insufficient_data": Wording(
            "Los datos no alcanzan para afirmar que nada cambió.",
            "There are too few data to say that nothing moved.",
        ),
        "settling": Wording(
            "Este período está en calma; faltan más para darlo por superado.",
            "This period is calm; more are needed to call it over.",
        ),
        "columns_moved": Wording(
            "Cambiaron variables de las que el modelo depende poco, o cambiaron poco.",
            "Columns moved that the model hardly depends on, or moved little.",
        ),
        "important_columns_moved": Wording(
            "Cambiaron de forma crítica variables de las que el modelo depende.",
            "Columns that the model depends on moved critically.",
        ),
        "estimated_performance_fell": Wording(
            "El desempeño estimado sin etiquetas bajó.",
            "Performance estimated without labels fell.",
        ),
        "realised_performance_fell": Wording(
            "El desempeño medido con etiquetas maduras bajó.",
            "Performance measured on mature labels fell.",
        ),
        "not_yet_persistent": Wording(
            "Todavía no se repite en suficientes períodos: puede ser pasajero.",
            "It has not recurred in enough periods yet: it may pass.",
        ),
        "persistent": Wording(
            "Se repite en varios de los últimos períodos.", "It recurs in several recent periods."
        ),
        "alarm_continues": Wording(
            "La alarma anterior sigue abierta.", "The earlier alarm is still open."
        ),
        "repair_data_first": Wording(
            "Lo que cambió son datos que dejaron de llegar o un valor fijo: primero reparar la "
            "fuente.",
            "What moved are data that no longer arrive, or a constant: mend the source first.",
        ),
        "performance_holds": Wording(
            "El desempeño medido se mantiene a pesar del drift.",
            "Measured performance holds despite the drift.",
        ),
        "cool_down": Wording(
            "Hace poco ya se recomendó reentrenar.", "Retraining was recommended only recently."
        ),
    }
)
