"""Every text of the dashboard, in Spanish and English: the one place for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from clientela.reporting.model_health import Wording
from clientela.text import NumberFormat

# Every text of the dashboard, in Spanish and English: the one place for them.


TEXTS: Mapping[str, Wording] = MappingProxyType(
    {
        # frame
        "title": Wording("Monitoreo de modelos", "Model monitoring"),
        "language": Wording("Idioma", "Language"),
        "model": Wording("Modelo", "Model"),
        "all_models": Wording("Todos los modelos", "All models"),
        "view": Wording("Vista", "View"),
        "refresh": Wording("Volver a leer", "Read again"),
        "environment": Wording("Entorno: {env}", "Environment: {env}"),
        "opening": Wording("Abriendo el catálogo…", "Opening the catalog…"),
        "privacy": Wording(
            "Solo cifras agregadas; ninguna fila de clientes.",
            "Aggregated figures only; no customer rows.",
        ),
        "view_summary": Wording("Resumen", "Summary"),
        "view_variables": Wording("Variables", "Variables"),
        "view_distributions": Wording("Distribuciones", "Distributions"),
        "view_evolution": Wording("Evolución", "Evolution"),
        "view_quality": Wording("Anomalías y faltantes", "Anomalies and missing data"),
        "view_segments": Wording("Segmentos", "Segments"),
        "view_alerts": Wording("Alertas", "Alerts"),
        # severities, states, recommendations
        "severity": Wording("Severidad", "Severity"),
        "severity_ROJO": Wording("ROJO", "RED"),
        "severity_AMARILLO": Wording("AMARILLO", "AMBER"),
        "severity_INSUFICIENTE": Wording("INSUFICIENTE", "NOT ENOUGH DATA"),
        "severity_VERDE": Wording("VERDE", "GREEN"),
        "advice_nothing": Wording("Nada que hacer", "Nothing to do"),
        "advice_watch": Wording("Observar", "Watch"),
        "advice_investigate": Wording("Investigar", "Investigate"),
        "advice_retrain": Wording("Reentrenar", "Retrain"),
        "level_calm": Wording("en calma", "calm"),
        "level_warning": Wording("advertencia", "warning"),
        "level_critical": Wording("crítico", "critical"),
        "level_unknown": Wording("sin datos suficientes", "not enough data"),
        "not_monitored": Wording("sin monitoreo", "not monitored"),
        "no_current_data": Wording("sin datos nuevos", "no new data"),
        # overview
        "overview_caption": Wording(
            "Cada modelo compara los datos actuales con aquellos de los que aprendió.",
            "Each model's current data against those it learned from.",
        ),
        "models_in_alarm": Wording("En alarma", "In alarm"),
        "models_under_watch": Wording("En observación", "Under watch"),
        "models_stable": Wording("Estables", "Stable"),
        "models_without": Wording("Sin comparación", "Without a comparison"),
        "recommendation": Wording("Recomendación", "Recommendation"),
        "details": Wording("Ver detalle", "Details"),
        "period": Wording("Período", "Period"),
        "compared": Wording(
            "{period}: {rows} filas frente a {base_rows} de la base{span}",
            "{period}: {rows} rows against {base_rows} of the baseline{span}",
        ),
        "baseline_only": Wording(
            "Base: {base_rows} filas{span}", "Baseline: {base_rows} rows{span}"
        ),
        "unreadable": Wording(
            "El estado de este modelo no se puede leer.", "The state of this model can't be read."
        ),
        "severity_counts": Wording(
            "Variables por severidad en el último período",
            "Variables by severity in the latest period",
        ),
        "variables": Wording("Variables", "Variables"),
        # summary
        "what_to_do": Wording("Qué hacer ahora", "What to do next"),
        "steps_nothing": Wording(
            "1. Volver a ejecutar el monitoreo cuando haya datos nuevos.",
            "1. Run monitoring again when there are new data.",
        ),
        "steps_watch": Wording(
            "1. Ver en *Variables* qué se está moviendo.\n"
            "2. Volver a ejecutar el monitoreo con el próximo período.",
            "1. See in *Variables* what is moving.\n2. Run monitoring again with the next period.",
        ),
        "steps_investigate": Wording(
            "1. *Anomalías y faltantes*: confirmar con quien entrega los datos que la fuente no "
            "cambió.\n"
            "2. *Distribuciones*: ver qué tramos se movieron, y si lo explica la población.\n"
            "3. *Evolución*: ver si es de un solo período o sostenido.\n"
            "4. Corregida la fuente, volver a ejecutar el monitoreo.",
            "1. *Anomalies and missing data*: confirm with whoever delivers the data that the "
            "source has not changed.\n"
            "2. *Distributions*: see which bins moved, and whether the population explains it.\n"
            "3. *Evolution*: see whether it is one period or lasts.\n"
            "4. With the source mended, run monitoring again.",
        ),
        "steps_retrain": Wording(
            "1. *Anomalías y faltantes*: descartar un error de los datos.\n"
            "2. Entrenar con datos recientes; la ficha del modelo compara el nuevo con las reglas "
            "de negocio.\n"
            "3. Una persona decide si el nuevo modelo reemplaza al actual.",
            "1. *Anomalies and missing data*: rule out an error in the data.\n"
            "2. Train on recent data; the model card compares the new model with the business "
            "rules.\n"
            "3. A person decides whether the new model replaces the present one.",
        ),
        "performance": Wording("Desempeño del modelo", "Model performance"),
        "performance_help": Wording(
            "Estimado: lo esperable según las probabilidades calibradas, sin esperar resultados. "
            "Realizado: medido donde el resultado ya se conoce.",
            "Estimated: what calibrated probabilities lead one to expect, before outcomes are "
            "known. Realised: measured where the outcome is known by now.",
        ),
        "no_performance": Wording(
            "No hay cifras de desempeño para este modelo.",
            "There are no performance figures for this model.",
        ),
        "kind_estimated": Wording("Estimado", "Estimated"),
        "kind_realised": Wording("Realizado", "Realised"),
        "reference": Wording(
            "Al evaluarlo, {measure} era {value}.", "When it was graded, {measure} was {value}."
        ),
        "interval_of": Wording("intervalo {span}; {rows} filas", "interval {span}; {rows} rows"),
        "most_moved": Wording("Lo que más cambió", "What moved most"),
        "nothing_moved": Wording(
            "Ninguna variable está en rojo ni en amarillo.", "No variable is red or amber."
        ),
        "baseline": Wording("Base", "Baseline"),
        # variables
        "variable": Wording("Variable", "Variable"),
        "psi_by_variable": Wording("PSI por variable", "PSI by variable"),
        "psi_axis": Wording(
            "PSI (índice de estabilidad de la población)", "PSI (population stability index)"
        ),
        "watch_limit": Wording("observar {limit}", "watch {limit}"),
        "alarm_limit": Wording("alarma {limit}", "alarm {limit}"),
        "explanation": Wording("Explicación", "Explanation"),
        "type": Wording("Tipo", "Type"),
        "missing_now": Wording("Faltantes hoy", "Missing now"),
        "show_all": Wording("Severidades", "Severities"),
        "shown_of": Wording(
            "Se dibujan las {shown} más graves de {total}.", "The worst {shown} of {total} drawn."
        ),
        "none_of_these": Wording(
            "Ninguna variable tiene esas severidades.", "No variable has these severities."
        ),
        "cramers_v": Wording("V de Cramér", "Cramér's V"),
        "help_psi": Wording(
            "Cuánto se movió la distribución; por azar llegaría a lo que dice la explicación.",
            "How far the distribution moved; the explanation says what chance alone reaches.",
        ),
        "help_ks": Wording(
            "Mayor distancia entre las dos distribuciones acumuladas (0 a 1; solo números).",
            "Largest distance between the cumulative distributions (0 to 1; numbers only).",
        ),
        "help_js": Wording(
            "Divergencia de Jensen-Shannon en bits (0 a 1).",
            "Jensen-Shannon divergence in bits (0 to 1).",
        ),
        "help_cramers_v": Wording(
            "V de Cramér corregida del chi-cuadrado (0 a 1).",
            "Bias-corrected Cramér's V of the chi-square test (0 to 1).",
        ),
        # distributions
        "share_of_rows": Wording("% de las filas", "% of rows"),
        "historical": Wording("Histórico", "Historical"),
        "current": Wording("Actual", "Current"),
        "data": Wording("Datos", "Data"),
        "contribution": Wording("Aporte al PSI", "Contribution to PSI"),
        "moved": Wording("tramo que cambió", "bin that moved"),
        "not_moved": Wording("sin cambio relevante", "no relevant change"),
        "bin": Wording("Tramo", "Bin"),
        "change_pp": Wording("Cambio (puntos)", "Change (points)"),
        "moved_sentence": Wording(
            "El {share} del PSI viene de: {bins}.", "{share} of the PSI comes from: {bins}."
        ),
        "bin_between": Wording("{lower} a {upper}", "{lower} to {upper}"),
        "bin_missing": Wording("sin dato", "missing"),
        "bin_new": Wording("categoría nueva", "new category"),
        "bin_other": Wording("otras", "others"),
        # evolution
        "average_psi": Wording("PSI promedio de las variables", "Average PSI of the variables"),
        "line_average": Wording("promedio simple", "plain average"),
        "line_weighted": Wording("ponderado por importancia", "weighted by importance"),
        "line": Wording("Promedio", "Average"),
        "pct_red": Wording("% de variables en rojo", "% of variables in red"),
        "map_title": Wording("Severidad por variable y período", "Severity by variable and period"),
        "variable_over_time": Wording("PSI de {feature} por período", "PSI of {feature} by period"),
        "performance_over_time": Wording("{measure} por período", "{measure} by period"),
        "one_period": Wording(
            "Hay un solo período; la evolución se ve desde el segundo.",
            "There is one period only; evolution shows from the second on.",
        ),
        "state": Wording("Estado", "State"),
        "level": Wording("Nivel del período", "Level of the period"),
        "red_columns": Wording("Variables en rojo", "Variables in red"),
        # quality
        "anomalies": Wording("Anomalías", "Anomalies"),
        "no_anomalies": Wording(
            "No hay faltantes, categorías nuevas ni valores fuera de rango que llamen la atención.",
            "No missing values, new categories or values out of range that call for attention.",
        ),
        "missing_change": Wording(
            "Faltantes: base y período actual", "Missing values: baseline and current period"
        ),
        "no_missing": Wording("Ninguna variable tiene faltantes.", "No variable misses values."),
        "foreign_values": Wording(
            "Valores que la base no conocía", "Values that the baseline did not know"
        ),
        "no_foreign": Wording(
            "Todos los valores están dentro de lo que la base conocía.",
            "All values lie within what the baseline knew.",
        ),
        "kind_new": Wording("categoría nueva", "new category"),
        "kind_out_of_range": Wording("fuera de rango", "out of range"),
        "missing_over_time": Wording(
            "Faltantes de {feature} por período", "Missing values of {feature} by period"
        ),
        # segments
        "segment_column": Wording("Segmentar por", "Segment by"),
        "segment": Wording("Segmento", "Segment"),
        "kind": Wording("Tipo", "Kind"),
        "of_file": Wording("Archivo {period}", "File {period}"),
        "newer_file": Wording(
            "Poner un archivo más reciente en la carpeta de datos crudos y ejecutar:",
            "Put a newer file into the raw folder and run:",
        ),
        "uncertain": Wording("{value} en {rows} filas: {why}", "{value} on {rows} rows: {why}"),
        "rows": Wording("Filas", "Rows"),
        "segment_map": Wording(
            "PSI por variable y segmento, {period}", "PSI by variable and segment, {period}"
        ),
        "no_segments": Wording(
            "No hay segmentos configurados. Se eligen en los parámetros de monitoreo del caso de "
            "uso (`conf/base/parameters/{use_case}.yml`).",
            "No segments are configured. They are chosen in the monitoring parameters of the use "
            "case (`conf/base/parameters/{use_case}.yml`).",
        ),
        # alerts
        "no_alert": Wording(
            "Sin alertas en el período {period}.", "No alerts in the period {period}."
        ),
        "deliveries": Wording("Envíos", "Deliveries"),
        "not_sent": Wording(
            "La alerta no se envió a ningún canal: no hay ninguno configurado.",
            "The alert went to no channel: none is configured.",
        ),
        "channel": Wording("Canal", "Channel"),
        "delivered": Wording("Entregada", "Delivered"),
        "attempts": Wording("Intentos", "Attempts"),
        "detail": Wording("Detalle", "Detail"),
        "critical_variables": Wording("Variables críticas", "Critical variables"),
        "alert_history": Wording("Historial", "History"),
        "no_history": Wording(
            "Ningún período del registro tuvo variables en rojo.",
            "No period of the log had variables in red.",
        ),
        # empty, partial and damaged
        "nothing_yet": Wording(
            "Todavía no hay nada que mostrar: el monitoreo no ha corrido en este entorno.",
            "There is nothing to show yet: monitoring has not run in this environment.",
        ),
        "run_this": Wording("Ejecute:", "Run:"),
        "no_use_cases": Wording(
            "Ningún caso de uso tiene la etapa `monitoring` en `use_cases.yml` de este entorno. "
            "Agréguela a la lista `stages` del caso de uso.",
            "No use case has the stage `monitoring` in `use_cases.yml` of this environment. Add it "
            "to the list `stages` of the use case.",
        ),
        "not_yet": Wording(
            "El monitoreo de este modelo aún no ha corrido.",
            "Monitoring of this model has not run yet.",
        ),
        "part_missing": Wording(
            "Falta `{dataset}`: esta vista se llena cuando el monitoreo termina.",
            "`{dataset}` is not there: this view fills when monitoring has ended.",
        ),
        "part_empty": Wording(
            "`{dataset}` no tiene filas todavía.", "`{dataset}` has no rows yet."
        ),
        "part_unreadable": Wording(
            "No se pudo leer `{dataset}`:", "`{dataset}` could not be read:"
        ),
        "cannot_open": Wording("No se pudo abrir el catálogo:", "The catalog could not be opened:"),
        "yes": Wording("sí", "yes"),
        "no": Wording("no", "no"),
    }
)


# A reader's language: texts and the way numbers are written.


Code: TypeAlias = Literal["es", "en"]


@dataclass(frozen=True)
class Language:
    """How one language says what the dashboard has to say."""

    code: Code
    name: str
    numbers: NumberFormat

    def text(self, key: str, **values: object) -> str:
        """A text of the dashboard."""
        return self.of(TEXTS[key]).format(**values)

    def of(self, wording: Wording) -> str:
        """What a wording says in this language."""
        return str(getattr(wording, self.code))

    def short(self, value: float) -> str:
        """A number for an axis or a label, thousands and millions abbreviated.

        Returns:
            For example `1,5 M` or `20 mil`; `1.5 M` or `20 k`.
        """
        return self.numbers.short(value).replace(" mil", " mil" if self.code == "es" else " k")


# The first one is the default.
LANGUAGES: Mapping[Code, Language] = MappingProxyType(
    {
        "es": Language("es", "Español", NumberFormat()),
        "en": Language("en", "English", NumberFormat(thousands=",", decimal=".")),
    }
)
