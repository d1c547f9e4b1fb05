@echo off
rem Sets the recorder up as a service that starts with Windows. In a terminal opened as administrator:
rem     deploy\windows\install.cmd [--folder FOLDER] [--rows]
rem PYTHON names an interpreter that has the packages already; then nothing is fetched.
setlocal
cd /d "%~dp0..\.."
if defined PYTHON goto service
set PYTHON=.venv\Scripts\python.exe
if not exist %PYTHON% py -3 -m venv .venv
if errorlevel 1 exit /b 1
%PYTHON% -m pip install --quiet -r requirements.txt -r requirements-windows.txt
if errorlevel 1 exit /b 1
:service
"%PYTHON%" main.py service install %*
if errorlevel 1 exit /b %ERRORLEVEL%
"%PYTHON%" main.py service start
exit /b %ERRORLEVEL%
