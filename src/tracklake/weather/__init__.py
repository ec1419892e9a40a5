"""Open-Meteo: which days of weather are asked for together, and what its answers say; pure.

https://open-meteo.com/en/docs. Weather data by Open-Meteo.com (CC BY 4.0).
"""
