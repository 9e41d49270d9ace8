WITH `t5` AS (
  SELECT
    `t3`.`id_cliente`,
    `t3`.`_points`,
    `t3`.`_last` - INTERVAL '3' MONTH AS `_cutoff`
  FROM (
    SELECT
      `t1`.`id_cliente`,
      MAX(`t1`.`fecha`) AS `_last`,
      SUM(`t1`.`puntos`) AS `_points`
    FROM `transactions` AS `t1`
    GROUP BY
      1
  ) AS `t3`
)
SELECT
  `t17`.`id_cliente`,
  COALESCE(CAST(`t17`.`num_tx_total` AS DOUBLE), 0.0) AS `num_tx_total`,
  COALESCE(`t17`.`total_gasto`, 0.0) AS `total_gasto`,
  COALESCE(
    CAST(DATEDIFF(DAY, CAST(`t17`.`_last` AS DATE), CAST(`t17`.`_cutoff` AS DATE)) AS DOUBLE),
    0.0
  ) AS `recencia_dias`,
  COALESCE(LN(GREATEST(CAST(`t17`.`num_tx_total` AS DOUBLE), 0.0) + 1.0), 0.0) AS `log_num_tx_total`,
  COALESCE(LN(GREATEST(`t17`.`total_gasto`, 0.0) + 1.0), 0.0) AS `log_total_gasto`,
  COALESCE(CAST(`t17`.`num_tx_3m` AS DOUBLE), 0.0) AS `num_tx_3m`,
  COALESCE(`t17`.`gasto_3m`, 0.0) AS `gasto_3m`,
  COALESCE(`t17`.`puntos_ganados_3m`, 0.0) AS `puntos_ganados_3m`,
  COALESCE(`t17`.`puntos_redimidos_3m`, 0.0) AS `puntos_redimidos_3m`,
  COALESCE(CAST(`t17`.`num_tx_6m` AS DOUBLE), 0.0) AS `num_tx_6m`,
  COALESCE(`t17`.`gasto_6m`, 0.0) AS `gasto_6m`,
  COALESCE(`t17`.`puntos_ganados_6m`, 0.0) AS `puntos_ganados_6m`,
  COALESCE(`t17`.`puntos_redimidos_6m`, 0.0) AS `puntos_redimidos_6m`,
  COALESCE(`t17`.`_category_year`, 0.0) AS `gasto_tecnologia_12m`,
  COALESCE(`t17`.`_category_year` / NULLIF(`t17`.`_year`, 0.0), 0.0) AS `pct_tecnologia_12m`,
  COALESCE(CAST(CAST(`t17`.`_purchases` > 0 AS TINYINT) AS DOUBLE), 0.0) AS `compra_tecnologia`,
  COALESCE(`t17`.`_category_3m` / 3, 0.0) AS `avg_gasto_tecnologia_3m`,
  COALESCE(`t17`.`_category_6m` / 6, 0.0) AS `avg_gasto_tecnologia_6m`,
  COALESCE(
    CAST(IF(
      (
        (
          EXTRACT(year FROM `t17`.`_cutoff`) - EXTRACT(year FROM `t2`.`fecha_nacimiento`)
        ) - CAST((
          (
            EXTRACT(month FROM `t17`.`_cutoff`) * 100
          ) + EXTRACT(day FROM `t17`.`_cutoff`)
        ) < (
          (
            EXTRACT(month FROM `t2`.`fecha_nacimiento`) * 100
          ) + EXTRACT(day FROM `t2`.`fecha_nacimiento`)
        ) AS INT)
      ) >= 0,
      (
        EXTRACT(year FROM `t17`.`_cutoff`) - EXTRACT(year FROM `t2`.`fecha_nacimiento`)
      ) - CAST((
        (
          EXTRACT(month FROM `t17`.`_cutoff`) * 100
        ) + EXTRACT(day FROM `t17`.`_cutoff`)
      ) < (
        (
          EXTRACT(month FROM `t2`.`fecha_nacimiento`) * 100
        ) + EXTRACT(day FROM `t2`.`fecha_nacimiento`)
      ) AS INT),
      NULL
    ) AS DOUBLE),
    0.0
  ) AS `edad`,
  COALESCE(CAST(`t2`.`estrato_social` AS DOUBLE), 0.0) AS `estrato_social`,
  COALESCE(
    `t2`.`saldo_puntos` - (
      COALESCE(`t17`.`_points`, 0) - COALESCE(`t17`.`_points_before`, 0)
    ),
    0.0
  ) AS `saldo_puntos`,
  COALESCE(CAST(CAST(`t17`.`num_tx_total` IS NULL AS TINYINT) AS DOUBLE), 0.0) AS `sin_historial`,
  COALESCE(CAST(`t17`.`_bought_3m` AS DOUBLE), 0.0) AS `compras_tecnologia_3m`
FROM (
  SELECT
    `t15`.`id_cliente`,
    `t15`.`_points`,
    `t15`.`_cutoff`,
    `t15`.`num_tx_total`,
    `t15`.`total_gasto`,
    `t15`.`_last`,
    `t15`.`_points_before`,
    `t15`.`_year`,
    `t15`.`_category_year`,
    `t15`.`_purchases`,
    `t15`.`num_tx_3m`,
    `t15`.`gasto_3m`,
    `t15`.`puntos_ganados_3m`,
    `t15`.`puntos_redimidos_3m`,
    `t15`.`_category_3m`,
    `t15`.`num_tx_6m`,
    `t15`.`gasto_6m`,
    `t15`.`puntos_ganados_6m`,
    `t15`.`puntos_redimidos_6m`,
    `t15`.`_category_6m`,
    `t15`.`_bought_3m`
  FROM (
    SELECT
      `t8`.`id_cliente`,
      `t8`.`_points`,
      `t8`.`_cutoff`,
      `t14`.`id_cliente` AS `id_cliente_right`,
      `t14`.`num_tx_total`,
      `t14`.`total_gasto`,
      `t14`.`_last`,
      `t14`.`_points_before`,
      `t14`.`_year`,
      `t14`.`_category_year`,
      `t14`.`_purchases`,
      `t14`.`num_tx_3m`,
      `t14`.`gasto_3m`,
      `t14`.`puntos_ganados_3m`,
      `t14`.`puntos_redimidos_3m`,
      `t14`.`_category_3m`,
      `t14`.`num_tx_6m`,
      `t14`.`gasto_6m`,
      `t14`.`puntos_ganados_6m`,
      `t14`.`puntos_redimidos_6m`,
      `t14`.`_category_6m`,
      `t14`.`_bought_3m`
    FROM `t5` AS `t8`
    LEFT OUTER JOIN (
      SELECT
        `t12`.`id_cliente`,
        COUNT(*) AS `num_tx_total`,
        SUM(`t12`.`_cents`) / 100 AS `total_gasto`,
        MAX(`t12`.`fecha`) AS `_last`,
        SUM(`t12`.`_points`) AS `_points_before`,
        SUM(IF(`t12`.`_in_12m`, `t12`.`_cents`, NULL)) / 100 AS `_year`,
        SUM(IF(`t12`.`_in_12m`, `t12`.`_category_cents`, NULL)) / 100 AS `_category_year`,
        SUM(CAST(`t12`.`_in_12m` AND `t12`.`_bought` AS BIGINT)) AS `_purchases`,
        SUM(CAST(`t12`.`_in_3m` AS BIGINT)) AS `num_tx_3m`,
        SUM(IF(`t12`.`_in_3m`, `t12`.`_cents`, NULL)) / 100 AS `gasto_3m`,
        SUM(IF(`t12`.`_in_3m`, `t12`.`_earned`, NULL)) AS `puntos_ganados_3m`,
        SUM(IF(`t12`.`_in_3m`, `t12`.`_earned`, NULL)) - SUM(IF(`t12`.`_in_3m`, `t12`.`_points`, NULL)) AS `puntos_redimidos_3m`,
        SUM(IF(`t12`.`_in_3m`, `t12`.`_category_cents`, NULL)) / 100 AS `_category_3m`,
        SUM(CAST(`t12`.`_in_6m` AS BIGINT)) AS `num_tx_6m`,
        SUM(IF(`t12`.`_in_6m`, `t12`.`_cents`, NULL)) / 100 AS `gasto_6m`,
        SUM(IF(`t12`.`_in_6m`, `t12`.`_earned`, NULL)) AS `puntos_ganados_6m`,
        SUM(IF(`t12`.`_in_6m`, `t12`.`_earned`, NULL)) - SUM(IF(`t12`.`_in_6m`, `t12`.`_points`, NULL)) AS `puntos_redimidos_6m`,
        SUM(IF(`t12`.`_in_6m`, `t12`.`_category_cents`, NULL)) / 100 AS `_category_6m`,
        SUM(CAST(`t12`.`_bought` AND `t12`.`_in_3m` AS BIGINT)) AS `_bought_3m`
      FROM (
        SELECT
          `t11`.`id_cliente`,
          `t11`.`fecha`,
          `t11`.`_cents`,
          `t11`.`_category_cents`,
          `t11`.`_points`,
          `t11`.`_earned`,
          `t11`.`_bought`,
          `t11`.`_cutoff`,
          `t11`.`_from_3m`,
          `t11`.`_from_6m`,
          `t11`.`_from_12m`,
          `t11`.`fecha` >= `t11`.`_from_3m` AS `_in_3m`,
          `t11`.`fecha` >= `t11`.`_from_6m` AS `_in_6m`,
          `t11`.`fecha` >= `t11`.`_from_12m` AS `_in_12m`
        FROM (
          SELECT
            `t6`.`id_cliente`,
            `t6`.`fecha`,
            `t6`.`_cents`,
            `t6`.`_category_cents`,
            `t6`.`_points`,
            `t6`.`_earned`,
            `t6`.`_bought`,
            `t10`.`_cutoff`,
            `t10`.`_from_3m`,
            `t10`.`_from_6m`,
            `t10`.`_from_12m`
          FROM (
            SELECT
              `t1`.`id_cliente`,
              `t1`.`fecha`,
              CAST(`t1`.`valor_transaccion` * 100 AS DOUBLE) AS `_cents`,
              IF(`t1`.`rubro` = 'tecnologia', CAST(`t1`.`valor_transaccion` * 100 AS DOUBLE), 0.0) AS `_category_cents`,
              CAST(`t1`.`puntos` AS DOUBLE) AS `_points`,
              IF(CAST(`t1`.`puntos` AS DOUBLE) > 0, CAST(`t1`.`puntos` AS DOUBLE), 0.0) AS `_earned`,
              (
                `t1`.`rubro` = 'tecnologia'
              ) AND (
                `t1`.`valor_transaccion` > 0
              ) AS `_bought`
            FROM `transactions` AS `t1`
          ) AS `t6`
          INNER JOIN (
            SELECT
              `t7`.`id_cliente`,
              `t7`.`_cutoff`,
              `t7`.`_cutoff` - INTERVAL '3' MONTH AS `_from_3m`,
              `t7`.`_cutoff` - INTERVAL '6' MONTH AS `_from_6m`,
              `t7`.`_cutoff` - INTERVAL '12' MONTH AS `_from_12m`
            FROM `t5` AS `t7`
          ) AS `t10`
            ON `t6`.`id_cliente` = `t10`.`id_cliente`
        ) AS `t11`
        WHERE
          `t11`.`fecha` < `t11`.`_cutoff`
      ) AS `t12`
      GROUP BY
        1
    ) AS `t14`
      ON `t8`.`id_cliente` = `t14`.`id_cliente`
  ) AS `t15`
) AS `t17`
LEFT OUTER JOIN `customers` AS `t2`
  ON `t17`.`id_cliente` = `t2`.`id_cliente`
