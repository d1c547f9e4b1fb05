"""The recorder as a Windows service: `price service`, on pywin32."""
