// NOT RUN HERE: the lines for the Gradle build of an Android app. There is no Android Gradle plugin on the machines that test this repository.

plugins {
    id("com.android.application")
    kotlin("android") version "2.1.21"
}

android {
    namespace = "com.example.field"
    compileSdk = 35

    defaultConfig {
        minSdk = 26
        targetSdk = 35
        ndk {
            // The core is built for these. Also for 32-bit ARM, if handhelds need it: "armeabi-v7a".
            abiFilters += listOf("arm64-v8a", "x86_64")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
}

kotlin { compilerOptions { jvmTarget.set(org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11) } }

// `mvn install` in bindings/kotlin and `includeBuild("compass/bindings/kotlin")` in the settings, or an AAR of aar/assemble.
repositories {
    mavenLocal { content { includeGroup("dev.compass") } }
    google()
    mavenCentral()
}

dependencies {
    // Brings compass-core, the AAR of JNA and the libraries for phones.
    implementation("dev.compass:compass-core-android:0.1.0")

    // Tests on the development machine use its own library, and JNA's jar instead of its AAR.
    testImplementation("dev.compass:compass-core-jvm:0.1.0")
    testImplementation("dev.compass:compass-core-testing:0.1.0")
}
