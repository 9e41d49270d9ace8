WITH "t5" AS (
  SELECT
    "t4"."id_cliente",
    "t4"."_points",
    "t4"."_last" - INTERVAL '3' MONTH AS "_cutoff"
  FROM (
    SELECT
      "t1"."id_cliente",
      MAX("t1"."fecha") AS "_last",
      SUM("t1"."puntos") AS "_points"
    FROM "transactions" AS "t1"
    GROUP BY
      1
  ) AS "t4"
)
SELECT
  "t16"."id_cliente",
  COALESCE(CAST("t16"."num_tx_total" AS DOUBLE), 0.0) AS "num_tx_total",
  COALESCE(CAST("t16"."total_gasto" AS DOUBLE), 0.0) AS "total_gasto",
  COALESCE(
    CAST(DATE_DIFF('DAY', CAST("t16"."_last" AS DATE), CAST("t16"."_cutoff" AS DATE)) AS DOUBLE),
    0.0
  ) AS "recencia_dias",
  COALESCE(LN(GREATEST(CAST("t16"."num_tx_total" AS DOUBLE), 0.0) + 1.0), 0.0) AS "log_num_tx_total",
  COALESCE(LN(GREATEST(CAST("t16"."total_gasto" AS DOUBLE), 0.0) + 1.0), 0.0) AS "log_total_gasto",
  COALESCE(CAST("t16"."num_tx_3m" AS DOUBLE), 0.0) AS "num_tx_3m",
  COALESCE(CAST("t16"."gasto_3m" AS DOUBLE), 0.0) AS "gasto_3m",
  COALESCE(CAST("t16"."puntos_ganados_3m" AS DOUBLE), 0.0) AS "puntos_ganados_3m",
  COALESCE(CAST("t16"."puntos_redimidos_3m" AS DOUBLE), 0.0) AS "puntos_redimidos_3m",
  COALESCE(CAST("t16"."num_tx_6m" AS DOUBLE), 0.0) AS "num_tx_6m",
  COALESCE(CAST("t16"."gasto_6m" AS DOUBLE), 0.0) AS "gasto_6m",
  COALESCE(CAST("t16"."puntos_ganados_6m" AS DOUBLE), 0.0) AS "puntos_ganados_6m",
  COALESCE(CAST("t16"."puntos_redimidos_6m" AS DOUBLE), 0.0) AS "puntos_redimidos_6m",
  COALESCE(CAST("t16"."_category_year" AS DOUBLE), 0.0) AS "gasto_tecnologia_12m",
  COALESCE(
    CAST("t16"."_category_year" AS DOUBLE) / NULLIF(CAST("t16"."_year" AS DOUBLE), 0.0),
    0.0
  ) AS "pct_tecnologia_12m",
  COALESCE(CAST(CAST("t16"."_purchases" > 0 AS TINYINT) AS DOUBLE), 0.0) AS "compra_tecnologia",
  COALESCE(CAST("t16"."_category_3m" AS DOUBLE) / 3, 0.0) AS "avg_gasto_tecnologia_3m",
  COALESCE(CAST("t16"."_category_6m" AS DOUBLE) / 6, 0.0) AS "avg_gasto_tecnologia_6m",
  COALESCE(
    CAST((
      EXTRACT(year FROM "t16"."_cutoff") - EXTRACT(year FROM "t2"."fecha_nacimiento")
    ) - CAST((
      (
        EXTRACT(month FROM "t16"."_cutoff") * 100
      ) + EXTRACT(day FROM "t16"."_cutoff")
    ) < (
      (
        EXTRACT(month FROM "t2"."fecha_nacimiento") * 100
      ) + EXTRACT(day FROM "t2"."fecha_nacimiento")
    ) AS INT) AS DOUBLE),
    0.0
  ) AS "edad",
  COALESCE(CAST("t2"."estrato_social" AS DOUBLE), 0.0) AS "estrato_social",
  COALESCE(
    CAST("t2"."saldo_puntos" - (
      COALESCE("t16"."_points", 0) - COALESCE("t16"."_points_before", 0)
    ) AS DOUBLE),
    0.0
  ) AS "saldo_puntos",
  COALESCE(CAST(CAST("t16"."num_tx_total" IS NULL AS TINYINT) AS DOUBLE), 0.0) AS "sin_historial"
FROM (
  SELECT
    "t14".*
    EXCLUDE ("id_cliente_right")
  FROM (
    SELECT
      "t7"."id_cliente",
      "t7"."_points",
      "t7"."_cutoff",
      "t13"."id_cliente" AS "id_cliente_right",
      "t13"."num_tx_total",
      "t13"."total_gasto",
      "t13"."_last",
      "t13"."_points_before",
      "t13"."_year",
      "t13"."_category_year",
      "t13"."_purchases",
      "t13"."num_tx_3m",
      "t13"."gasto_3m",
      "t13"."puntos_ganados_3m",
      "t13"."puntos_redimidos_3m",
      "t13"."_category_3m",
      "t13"."num_tx_6m",
      "t13"."gasto_6m",
      "t13"."puntos_ganados_6m",
      "t13"."puntos_redimidos_6m",
      "t13"."_category_6m"
    FROM "t5" AS "t7"
    LEFT OUTER JOIN (
      SELECT
        "t11"."id_cliente",
        COUNT(*) AS "num_tx_total",
        SUM("t11"."valor_transaccion") AS "total_gasto",
        MAX("t11"."fecha") AS "_last",
        SUM("t11"."puntos") AS "_points_before",
        SUM("t11"."valor_transaccion") FILTER(WHERE
          "t11"."_in_12m") AS "_year",
        SUM("t11"."valor_transaccion") FILTER(WHERE
          "t11"."_in_12m" AND "t11"."_of_category") AS "_category_year",
        COUNT(*) FILTER(WHERE
          "t11"."_in_12m" AND "t11"."_bought") AS "_purchases",
        COUNT(*) FILTER(WHERE
          "t11"."_in_3m") AS "num_tx_3m",
        SUM("t11"."valor_transaccion") FILTER(WHERE
          "t11"."_in_3m") AS "gasto_3m",
        SUM("t11"."puntos") FILTER(WHERE
          "t11"."_in_3m" AND (
            "t11"."puntos" > 0
          )) AS "puntos_ganados_3m",
        -(
          SUM("t11"."puntos") FILTER(WHERE
            "t11"."_in_3m" AND (
              "t11"."puntos" < 0
            ))
        ) AS "puntos_redimidos_3m",
        SUM("t11"."valor_transaccion") FILTER(WHERE
          "t11"."_in_3m" AND "t11"."_of_category") AS "_category_3m",
        COUNT(*) FILTER(WHERE
          "t11"."_in_6m") AS "num_tx_6m",
        SUM("t11"."valor_transaccion") FILTER(WHERE
          "t11"."_in_6m") AS "gasto_6m",
        SUM("t11"."puntos") FILTER(WHERE
          "t11"."_in_6m" AND (
            "t11"."puntos" > 0
          )) AS "puntos_ganados_6m",
        -(
          SUM("t11"."puntos") FILTER(WHERE
            "t11"."_in_6m" AND (
              "t11"."puntos" < 0
            ))
        ) AS "puntos_redimidos_6m",
        SUM("t11"."valor_transaccion") FILTER(WHERE
          "t11"."_in_6m" AND "t11"."_of_category") AS "_category_6m"
      FROM (
        SELECT
          "t10"."id_transaccion",
          "t10"."id_cliente",
          "t10"."fecha",
          "t10"."rubro",
          "t10"."valor_transaccion",
          "t10"."puntos",
          "t10"."tipo_transaccion",
          "t10"."_cutoff",
          "t10"."_from_3m",
          "t10"."_from_6m",
          "t10"."_from_12m",
          "t10"."rubro" = 'tecnologia' AS "_of_category",
          (
            "t10"."rubro" = 'tecnologia'
          ) AND (
            "t10"."valor_transaccion" > 0
          ) AS "_bought",
          "t10"."fecha" >= "t10"."_from_3m" AS "_in_3m",
          "t10"."fecha" >= "t10"."_from_6m" AS "_in_6m",
          "t10"."fecha" >= "t10"."_from_12m" AS "_in_12m"
        FROM (
          SELECT
            "t3"."id_transaccion",
            "t3"."id_cliente",
            "t3"."fecha",
            "t3"."rubro",
            "t3"."valor_transaccion",
            "t3"."puntos",
            "t3"."tipo_transaccion",
            "t9"."_cutoff",
            "t9"."_from_3m",
            "t9"."_from_6m",
            "t9"."_from_12m"
          FROM "transactions" AS "t3"
          INNER JOIN (
            SELECT
              "t6"."id_cliente",
              "t6"."_cutoff",
              "t6"."_cutoff" - INTERVAL '3' MONTH AS "_from_3m",
              "t6"."_cutoff" - INTERVAL '6' MONTH AS "_from_6m",
              "t6"."_cutoff" - INTERVAL '12' MONTH AS "_from_12m"
            FROM "t5" AS "t6"
          ) AS "t9"
            ON "t3"."id_cliente" = "t9"."id_cliente"
        ) AS "t10"
        WHERE
          "t10"."fecha" < "t10"."_cutoff"
      ) AS "t11"
      GROUP BY
        1
    ) AS "t13"
      ON "t7"."id_cliente" = "t13"."id_cliente"
  ) AS "t14"
) AS "t16"
LEFT OUTER JOIN "customers" AS "t2"
  ON "t16"."id_cliente" = "t2"."id_cliente"
