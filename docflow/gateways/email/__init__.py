"""E-mail: letters out with delivery reports asked for, reports and bounces in; wire only."""
