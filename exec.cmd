@rem "npm start" replaces its shell, so that signals reach the server. The shell of Windows has no word for it.
@%*
