import Foundation

/// The workflow of the story: three sections, and one message to the office.
public enum PumpCheck {
    public static let key = "pump-check"

    public static let text = """
        {
          "format": 1, "key": "pump-check", "version": 1, "name": "Pump check", "start": "arrive",
          "fields": [
            { "key": "site", "name": "Site", "type": "text", "required": true },
            { "key": "pressure", "name": "Pressure", "type": "decimal", "max": "4.0", "required": true },
            { "key": "remark", "name": "Remark", "type": "multiline" }
          ],
          "sections": [
            { "key": "arrive", "name": "Arrive", "content": "Find the pump.", "fields": ["site"],
              "answers": [ { "key": "on", "name": "Go on", "next": "measure" } ] },
            { "key": "measure", "name": "Measure", "content": "With the pump running.", "fields": ["pressure", "remark"],
              "answers": [ { "key": "done", "name": "All in order", "next": "leave" } ] },
            { "key": "leave", "name": "Leave", "content": "Good bye.", "win": true,
              "actions": [ { "key": "report", "name": "Report", "integration": "webhooks", "kind": "send_message", "endpoint": "office" } ] }
          ]
        }
        """

    /// The file that the office gave to the technician.
    public static var document: Data { Data(text.utf8) }
}
