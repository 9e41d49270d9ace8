SELECT
  COALESCE(`t12`.`id_cliente`, `t12`.`id_cliente_known`) AS `id_cliente`,
  COALESCE(CAST(`t12`.`num_tx` AS DOUBLE), 0.0) AS `num_tx`,
  COALESCE(`t12`.`gasto_total`, 0.0) AS `gasto_total`,
  COALESCE(`t12`.`_bought` / NULLIF(CAST(`t12`.`num_tx` AS DOUBLE), 0.0), 0.0) AS `ticket_promedio`,
  COALESCE(
    CAST(COALESCE(
      `t12`.`recencia_dias`,
      DATEDIFF(
        DAY,
        CAST(CAST('2024-03-01T00:00:00' AS TIMESTAMP) - INTERVAL '12' MONTH AS DATE),
        CAST(CAST('2024-03-01T00:00:00' AS TIMESTAMP) AS DATE)
      )
    ) AS DOUBLE),
    0.0
  ) AS `recencia_dias`,
  COALESCE(CAST(`t12`.`rubros_distintos` AS DOUBLE), 0.0) AS `rubros_distintos`,
  COALESCE(CAST(`t12`.`frecuencia_farmacia` AS DOUBLE), 0.0) AS `frecuencia_farmacia`,
  COALESCE(`t12`.`gasto_farmacia`, 0.0) AS `gasto_farmacia`,
  COALESCE(
    `t12`.`_bought_farmacia` / NULLIF(CAST(`t12`.`frecuencia_farmacia` AS DOUBLE), 0.0),
    0.0
  ) AS `monto_promedio_farmacia`,
  COALESCE(GREATEST(`t12`.`gasto_farmacia`, 0.0) / NULLIF(`t12`.`_shared`, 0.0), 0.0) AS `participacion_farmacia`,
  COALESCE(
    CAST(COALESCE(
      `t12`.`recencia_farmacia_dias`,
      DATEDIFF(
        DAY,
        CAST(CAST('2024-03-01T00:00:00' AS TIMESTAMP) - INTERVAL '12' MONTH AS DATE),
        CAST(CAST('2024-03-01T00:00:00' AS TIMESTAMP) AS DATE)
      )
    ) AS DOUBLE),
    0.0
  ) AS `recencia_farmacia_dias`,
  COALESCE(`t12`.`score_farmacia`, 0.0) AS `score_farmacia`,
  COALESCE(CAST(`t12`.`frecuencia_otros` AS DOUBLE), 0.0) AS `frecuencia_otros`,
  COALESCE(`t12`.`gasto_otros`, 0.0) AS `gasto_otros`,
  COALESCE(`t12`.`_bought_otros` / NULLIF(CAST(`t12`.`frecuencia_otros` AS DOUBLE), 0.0), 0.0) AS `monto_promedio_otros`,
  COALESCE(GREATEST(`t12`.`gasto_otros`, 0.0) / NULLIF(`t12`.`_shared`, 0.0), 0.0) AS `participacion_otros`,
  COALESCE(
    CAST(COALESCE(
      `t12`.`recencia_otros_dias`,
      DATEDIFF(
        DAY,
        CAST(CAST('2024-03-01T00:00:00' AS TIMESTAMP) - INTERVAL '12' MONTH AS DATE),
        CAST(CAST('2024-03-01T00:00:00' AS TIMESTAMP) AS DATE)
      )
    ) AS DOUBLE),
    0.0
  ) AS `recencia_otros_dias`,
  COALESCE(`t12`.`score_otros`, 0.0) AS `score_otros`,
  COALESCE(
    CAST(`t12`.`participacion_canal_app` AS DOUBLE) / NULLIF(CAST(`t12`.`num_tx` AS DOUBLE), 0.0),
    0.0
  ) AS `participacion_canal_app`,
  COALESCE(
    CAST(`t12`.`participacion_canal_tienda` AS DOUBLE) / NULLIF(CAST(`t12`.`num_tx` AS DOUBLE), 0.0),
    0.0
  ) AS `participacion_canal_tienda`,
  CASE
    WHEN COALESCE(`t12`.`_highest_score`, 0.0) <= 0
    THEN IF(COALESCE(`t12`.`score_otros`, 0.0) > 0, 'Otros', CAST(NULL AS STRING))
    WHEN (
      COALESCE(`t12`.`score_farmacia`, 0.0) = COALESCE(`t12`.`_highest_score`, 0.0)
    )
    AND (
      COALESCE(`t12`.`gasto_farmacia`, 0.0) = GREATEST(
        0.0,
        IF(
          COALESCE(`t12`.`score_farmacia`, 0.0) = COALESCE(`t12`.`_highest_score`, 0.0),
          COALESCE(`t12`.`gasto_farmacia`, 0.0),
          0.0
        )
      )
    )
    THEN 'Farmacia'
    ELSE NULL
  END AS `rubro_top`,
  CAST(IF(
    (
      (
        EXTRACT(year FROM CAST('2024-03-01T00:00:00' AS TIMESTAMP)) - EXTRACT(year FROM `t12`.`fecha_nacimiento`)
      ) - CAST((
        (
          EXTRACT(month FROM CAST('2024-03-01T00:00:00' AS TIMESTAMP)) * 100
        ) + EXTRACT(day FROM CAST('2024-03-01T00:00:00' AS TIMESTAMP))
      ) < (
        (
          EXTRACT(month FROM `t12`.`fecha_nacimiento`) * 100
        ) + EXTRACT(day FROM `t12`.`fecha_nacimiento`)
      ) AS INT)
    ) >= 0,
    (
      EXTRACT(year FROM CAST('2024-03-01T00:00:00' AS TIMESTAMP)) - EXTRACT(year FROM `t12`.`fecha_nacimiento`)
    ) - CAST((
      (
        EXTRACT(month FROM CAST('2024-03-01T00:00:00' AS TIMESTAMP)) * 100
      ) + EXTRACT(day FROM CAST('2024-03-01T00:00:00' AS TIMESTAMP))
    ) < (
      (
        EXTRACT(month FROM `t12`.`fecha_nacimiento`) * 100
      ) + EXTRACT(day FROM `t12`.`fecha_nacimiento`)
    ) AS INT),
    NULL
  ) AS DOUBLE) AS `edad`,
  `t12`.`genero`,
  CAST(`t12`.`estrato_social` AS DOUBLE) AS `estrato_social`
FROM (
  SELECT
    `t11`.`id_cliente`,
    `t11`.`num_tx`,
    `t11`.`gasto_total`,
    `t11`.`_bought`,
    `t11`.`recencia_dias`,
    `t11`.`rubros_distintos`,
    `t11`.`_highest_score`,
    `t11`.`_shared`,
    `t11`.`frecuencia_farmacia`,
    `t11`.`gasto_farmacia`,
    `t11`.`_bought_farmacia`,
    `t11`.`recencia_farmacia_dias`,
    `t11`.`score_farmacia`,
    `t11`.`frecuencia_otros`,
    `t11`.`gasto_otros`,
    `t11`.`_bought_otros`,
    `t11`.`recencia_otros_dias`,
    `t11`.`score_otros`,
    `t8`.`participacion_canal_app`,
    `t8`.`participacion_canal_tienda`,
    `t3`.`id_cliente` AS `id_cliente_known`,
    `t3`.`fecha_nacimiento`,
    `t3`.`genero`,
    `t3`.`estrato_social`
  FROM (
    SELECT
      `t9`.`id_cliente`,
      SUM(`t9`.`_purchases`) AS `num_tx`,
      SUM(`t9`.`_cents_spent`) / 100 AS `gasto_total`,
      SUM(`t9`.`_cents_bought`) / 100 AS `_bought`,
      MIN(`t9`.`_days`) AS `recencia_dias`,
      SUM(CAST((
        `t9`.`_rubro` IS NOT NULL
      ) AND (
        `t9`.`_purchases` > 0
      ) AS BIGINT)) AS `rubros_distintos`,
      MAX(IF(`t9`.`_rubro` IN (0), `t9`.`_score`, NULL)) AS `_highest_score`,
      SUM(IF(`t9`.`_rubro` IS NOT NULL, GREATEST(`t9`.`_cents_spent`, 0.0), NULL)) / 100 AS `_shared`,
      MAX(IF(`t9`.`_rubro` = 0, `t9`.`_purchases`, NULL)) AS `frecuencia_farmacia`,
      MAX(IF(`t9`.`_rubro` = 0, `t9`.`_cents_spent`, NULL)) / 100 AS `gasto_farmacia`,
      MAX(IF(`t9`.`_rubro` = 0, `t9`.`_cents_bought`, NULL)) / 100 AS `_bought_farmacia`,
      MAX(IF(`t9`.`_rubro` = 0, `t9`.`_days`, NULL)) AS `recencia_farmacia_dias`,
      MAX(IF(`t9`.`_rubro` = 0, `t9`.`_score`, NULL)) AS `score_farmacia`,
      MAX(IF(`t9`.`_rubro` = 1, `t9`.`_purchases`, NULL)) AS `frecuencia_otros`,
      MAX(IF(`t9`.`_rubro` = 1, `t9`.`_cents_spent`, NULL)) / 100 AS `gasto_otros`,
      MAX(IF(`t9`.`_rubro` = 1, `t9`.`_cents_bought`, NULL)) / 100 AS `_bought_otros`,
      MAX(IF(`t9`.`_rubro` = 1, `t9`.`_days`, NULL)) AS `recencia_otros_dias`,
      MAX(IF(`t9`.`_rubro` = 1, `t9`.`_score`, NULL)) AS `score_otros`
    FROM (
      SELECT
        `t7`.`id_cliente`,
        `t7`.`_rubro`,
        `t7`.`_purchases`,
        `t7`.`_cents_spent`,
        `t7`.`_cents_bought`,
        `t7`.`_days`,
        IF(
          (
            `t7`.`_purchases` > 0
          ) AND (
            `t7`.`_cents_spent` > 0
          ),
          CUME_DIST() OVER (
            PARTITION BY `t7`.`_rubro`, (
              `t7`.`_purchases` > 0
            ) AND (
              `t7`.`_cents_spent` > 0
            )
            ORDER BY `t7`.`_cents_spent` ASC NULLS LAST
          ),
          0.0
        ) AS `_score`
      FROM (
        SELECT
          `t5`.`id_cliente`,
          `t5`.`_rubro`,
          CAST(SUM(CAST(`t5`.`_bought` AS BIGINT)) AS INT) AS `_purchases`,
          SUM(`t5`.`_cents`) AS `_cents_spent`,
          SUM(IF(`t5`.`_bought`, `t5`.`_cents`, NULL)) AS `_cents_bought`,
          MIN(IF(`t5`.`_bought`, `t5`.`_ago`, NULL)) AS `_days`
        FROM (
          SELECT
            `t1`.`id_cliente`,
            CAST(`t1`.`valor_transaccion` * 100 AS DOUBLE) AS `_cents`,
            `t1`.`valor_transaccion` > 0 AS `_bought`,
            CAST(DATEDIFF(
              DAY,
              CAST(`t1`.`fecha` AS DATE),
              CAST(CAST('2024-03-01T00:00:00' AS TIMESTAMP) AS DATE)
            ) AS INT) AS `_ago`,
            CASE
              WHEN `t1`.`rubro` IN ('farmacia')
              THEN 0
              WHEN `t1`.`rubro` IN ('cine')
              THEN 1
              ELSE 1
            END AS `_rubro`
          FROM `transactions` AS `t1`
          WHERE
            `t1`.`fecha` < CAST('2024-03-01T00:00:00' AS TIMESTAMP)
            AND `t1`.`fecha` >= (
              CAST('2024-03-01T00:00:00' AS TIMESTAMP) - INTERVAL '12' MONTH
            )
        ) AS `t5`
        GROUP BY
          1,
          2
      ) AS `t7`
    ) AS `t9`
    GROUP BY
      1
  ) AS `t11`
  INNER JOIN (
    SELECT
      `t4`.`id_cliente`,
      SUM(
        CAST((
          `t4`.`valor_transaccion` > 0
        ) AND `t4`.`canal` IN ('APP', 'App') AS BIGINT)
      ) AS `participacion_canal_app`,
      SUM(
        CAST((
          `t4`.`valor_transaccion` > 0
        ) AND `t4`.`canal` IN ('TIENDA') AS BIGINT)
      ) AS `participacion_canal_tienda`
    FROM (
      SELECT
        *
      FROM `transactions` AS `t1`
      WHERE
        `t1`.`fecha` < CAST('2024-03-01T00:00:00' AS TIMESTAMP)
        AND `t1`.`fecha` >= (
          CAST('2024-03-01T00:00:00' AS TIMESTAMP) - INTERVAL '12' MONTH
        )
    ) AS `t4`
    GROUP BY
      1
  ) AS `t8`
    ON `t11`.`id_cliente` = `t8`.`id_cliente`
  FULL OUTER JOIN (
    SELECT
      *
    FROM `customers` AS `t0`
  ) AS `t3`
    ON `t11`.`id_cliente` = `t3`.`id_cliente`
) AS `t12`
