"""Who answers differently than before: charts, change points, levels, sites."""
